import test from 'node:test'
import { Far, FAR_HOST } from '../../lib/far'
import { startTestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'

const HOSTS = {
  localhost: { modules: { saslauth: {}, roster: {}, presence: {}, message: {} } },
  'far.example': FAR_HOST
}

test('RFC 6121 §4.3.2: what a probe is answered', async t => {
  const server = await startTestServer(t, { hosts: HOSTS })
  const far = new Far(server)
  const probe = (to: string) =>
    far.says(`<presence from='romeo@far.example' to='${to}' type='probe' id='probe1'/>`)

  await scenario(
    server,
    { juliet: { jid: 'juliet@localhost/balcony', presence: true } },
    async ({ juliet }) => {
      // rule 1: not subscribed, or no account: the same, from the bare JID, with the id of the probe (§4.3.2.1)
      for (const to of ['juliet@localhost', 'juliet@localhost/balcony', 'nobody@localhost']) {
        await probe(to)
        far.hears(
          `<presence from='${to.split('/')[0]}' to='romeo@far.example' type='unsubscribed' id='probe1'/>`
        )
      }
      await far.says(`<presence from='romeo@far.example' to='juliet@localhost' type='subscribe'/>`)
      await juliet.finds(`<presence from='romeo@far.example' type='subscribe'/>`)
      await juliet.sends(`<presence to='romeo@far.example' type='subscribed'/>`)
      await juliet.sends(`<presence id='pres1'><show>dnd</show></presence>`)
      await juliet.fence()
      far.heard.length = 0

      // rule 4: the whole stanza, with its own id
      await probe('juliet@localhost')
      far.hears(
        `<presence from='juliet@localhost/balcony' to='romeo@far.example' id='pres1' type='!'><show>dnd</show></presence>`
      )
      // to a full JID: the bare fact, and of no other resource
      await probe('juliet@localhost/balcony')
      far.hears(
        `<presence xmlns:t='t' t:exact='yes' from='juliet@localhost/balcony' to='romeo@far.example'/>`
      )
      await probe('juliet@localhost/chamber')
      far.hears(`<presence from='juliet@localhost/chamber' type='unavailable' id='probe1'/>`)

      // rule 3
      await juliet.sends(`<presence type='unavailable'/>`)
      await juliet.fence()
      far.heard.length = 0
      await probe('juliet@localhost')
      far.hears(`<presence from='juliet@localhost' to='romeo@far.example' type='unavailable' id='probe1'/>`)
    }
  )
})

test('RFC 6121 §4.6.6: whoever got directed presence learns of that resource alone that it is there', async t => {
  const server = await startTestServer(t, { hosts: HOSTS })
  const far = new Far(server)
  const probe = (to: string) =>
    far.says(`<presence from='room@far.example/juliet' to='${to}' type='probe' id='probe1'/>`)
  await scenario(
    server,
    { juliet: 'juliet@localhost/balcony', chamber: { jid: 'juliet@localhost/chamber', presence: true } },
    async ({ juliet }) => {
      await juliet.sends(`<presence to='room@far.example/juliet'><status>only here</status></presence>`)
      await juliet.fence()
      far.hears(`<presence to='room@far.example/juliet'><status>only here</status></presence>`)
      await probe('juliet@localhost/balcony')
      far.hears(
        `<presence xmlns:t='t' t:exact='yes' from='juliet@localhost/balcony' to='room@far.example/juliet'/>`
      )
      for (const to of ['juliet@localhost', 'juliet@localhost/chamber']) {
        await probe(to)
        far.hears(`<presence from='juliet@localhost' type='unsubscribed'/>`)
      }
      // §4.6.1: whoever has gone is told nothing when the resource goes
      await far.says(
        `<presence from='room@far.example/juliet' to='juliet@localhost/balcony' type='unavailable'/>`
      )
      await juliet.receives(`<presence from='room@far.example/juliet' type='unavailable'/>`)
      await probe('juliet@localhost/balcony')
      far.hears(`<presence from='juliet@localhost' type='unsubscribed'/>`)
      await juliet.sends(`<presence type='unavailable'/>`)
      await juliet.fence()
      far.hears()
    }
  )
})

test('RFC 6121 §8.5.3.2.2: presence for a resource that is not there', async t => {
  const server = await startTestServer(t, { hosts: HOSTS })
  const far = new Far(server)
  await scenario(
    server,
    { juliet: { jid: 'juliet@localhost/balcony', presence: true } },
    async ({ juliet }) => {
      await juliet.sends(`<presence to='romeo@far.example' type='subscribe'/>`)
      await juliet.fence()
      far.hears(`<presence type='subscribe'/>`)
      const to = `from='romeo@far.example' to='juliet@localhost/elsewhere'`
      for (const type of ['subscribed', 'unsubscribe', 'unsubscribed', 'unavailable'])
        await far.says(`<presence ${to} type='${type}'/>`)
      await far.says(`<presence ${to}/>`)
      await juliet.receivesNothing()
      far.hears()
      // only a request is for the account then
      await far.says(`<presence ${to} type='subscribe'/>`)
      await juliet.receives(`<presence from='romeo@far.example' to='juliet@localhost' type='subscribe'/>`)
    }
  )
})
