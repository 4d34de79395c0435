import test from 'node:test'
import {
  affiliate,
  asks,
  create,
  does,
  event,
  iq,
  NODE,
  onEachDatabase,
  OWNER,
  play,
  STANZAS,
  startPubsub
} from '../modules/mod_pubsub/lib'

const list = (what: string): string => iq('get', `<${what}s node='${NODE}'/>`, OWNER)
/** What was impossible, as it is; the rest has been done. */
const refused = (what: string, entry: string): string =>
  `<iq type='error'><pubsub xmlns='${OWNER}'><${what}s node='${NODE}' t:exact='yes'>${entry}</${what}s></pubsub>
     <error type='modify'><not-acceptable xmlns='${STANZAS}'/></error></iq>`

onEachDatabase(database => {
  for (const clause of ['§8.8.2.4 subscription subscribed', '§8.9.2.4 affiliation member']) {
    const [section = '', what = '', value = ''] = clause.split(' ')
    test(`XEP-0060 ${section}: what is no address is named as it was given, and the other entries are done`, async t => {
      const server = await startPubsub(t, database)
      await play(server, async ({ hamlet, francisco }) => {
        await does(hamlet, create({ access_model: 'whitelist' }))
        await does(hamlet, affiliate('francisco@localhost', 'publisher'))
        await francisco.receives(event(`<affiliations node='${NODE}'/>`))
        const entries = ['@nowhere', 'francisco@localhost', 'bernardo@@localhost'].map(
          jid =>
            `<${what} jid='${jid}' ${what}='${jid[0] === 'f' && what === 'affiliation' ? 'none' : value}'/>`
        )
        await asks(
          hamlet,
          iq('set', `<${what}s node='${NODE}'>${entries.join('')}</${what}s>`, OWNER),
          refused(
            what,
            `<${what} jid='@nowhere' ${what}='none'/><${what} jid='bernardo@@localhost' ${what}='none'/>`
          )
        )
        const now =
          what === 'affiliation'
            ? `<affiliation jid='hamlet@localhost' affiliation='owner'/>`
            : `<subscription jid='francisco@localhost' subscription='subscribed'/>`
        await asks(
          hamlet,
          list(what),
          `<iq type='result'><pubsub xmlns='${OWNER}'><${what}s t:exact='yes' node='${NODE}'>${now}</${what}s></pubsub></iq>`
        )
      })
    })
  }
})
