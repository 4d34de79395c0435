import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf } from '../../core/xml/element'
import exchanges from '../data/exchanges.json'
import { FAR_HOST } from '../lib/far'
import { mismatch, parsePattern } from '../lib/pattern'
import { startTestServer } from '../lib/server'
import { PASSWORD, scenario } from '../lib/wire'

/*
 * The requests in the examples of the specs, sent as they are printed, are answered as it is printed there: same
 * form, same fields, same labels. Forms are filled in within the dialogue that the example before has begun.
 */

test('requests of the examples are answered as in the examples', async t => {
  const im = { saslauth: {}, roster: {}, presence: {}, message: {} }
  const server = await startTestServer(t, {
    hosts: {
      'shakespeare.lit': {
        admins: ['bard@shakespeare.lit'],
        modules: { ...im, register: {}, server_buddy: {}, adhoc_admin: {} }
      },
      'marlowe.lit': FAR_HOST
    }
  })
  await server.addUser('iago@shakespeare.lit', PASSWORD)
  let session = ''
  await scenario(server, { bard: 'bard@shakespeare.lit/globe' }, async ({ bard }) => {
    for (const { xep, section, example, title, request, reply } of exchanges.exchanges) {
      await t.test(`XEP-${xep} §${section}, example ${example}: ${title}`, async () => {
        const exchange = async (): Promise<void> => {
          const answer = await bard.request(request.replace('{session}', session))
          assert.equal(
            mismatch(parsePattern(reply), answer, new Map()),
            undefined,
            `${reply}\n${answer.toString()}`
          )
          session = childOf(answer, 'command')?.attrs.sessionid ?? ''
        }
        // whoever is to be disconnected is connected
        if (!request.includes('#end-user-session') || !request.includes('submit')) return exchange()
        await server.server.accounts.setPassword('juliet', 'shakespeare.lit', PASSWORD)
        await scenario(server, { juliet: 'juliet@shakespeare.lit/balcony' }, async ({ juliet }) => {
          await exchange()
          await juliet.isClosed()
        })
      })
    }
  })
})
