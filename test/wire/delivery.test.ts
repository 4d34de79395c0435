import assert from 'node:assert/strict'
import test from 'node:test'
import { startTestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'
import tables from '../data/rfc6121-tables.json'

/*
 * RFC 6121 §8.5.4: every cell of the table of message delivery, on the wire. Where the table leaves a choice
 * ("S/E", "M/A"), the outcome is one of those it allows.
 */

const TYPES = tables.messageDelivery.columns as readonly string[]
const ROWS = tables.messageDelivery.rows as Record<string, Record<string, readonly string[]>>

/** Resources of romeo for each row: name and priority; `undefined`: connected, not available. */
const RESOURCES: Record<string, Record<string, number>> = {
  'account does not exist': {},
  'account exists, no active resources': {},
  '1+ negative resources, zero non-negative': { away: -1 },
  '1 non-negative resource': { home: 0 },
  '1+ non-negative resources': { home: 5, work: 5, phone: 1 }
}

/** What happened to the message, in the letters of the table. */
async function outcome(
  juliet: Player,
  romeos: Record<string, Player>,
  to: string,
  type: string
): Promise<string> {
  await juliet.sends(`<message to='${to}' type='${type}' id='m'><body>hail</body></message>`)
  await juliet.fence()
  const error = juliet.unread.find(stanza => stanza.name === 'message')
  juliet.unread.length = 0
  const got: string[] = []
  for (const [resource, romeo] of Object.entries(romeos)) {
    await romeo.fence()
    if (romeo.unread.some(stanza => stanza.name === 'message' && stanza.attrs.to === to)) got.push(resource)
    romeo.unread.length = 0
  }
  if (error) {
    assert.equal(error.attrs.type, 'error')
    assert.deepEqual(got, [], 'an error and a delivery')
    return 'E'
  }
  return got.length === 0 ? 'S' : got.join(' ')
}

/** The outcomes that a cell allows, as `outcome` writes them. */
function allowed(
  cell: string,
  resources: Record<string, number>,
  addressed: string | undefined
): Set<string> {
  const names = Object.keys(resources)
  const nonNegative = names.filter(name => (resources[name] ?? -1) >= 0)
  const top = Math.max(...nonNegative.map(name => resources[name] ?? -1))
  const found = new Set<string>()
  for (const letter of cell.replace('*', '').split('/')) {
    if (letter === 'S' || letter === 'E') found.add(letter)
    if (letter === 'O') found.add('S') // stored: nobody sees anything now
    if (letter === 'D') found.add(addressed ?? nonNegative.join(' '))
    if (letter === 'A') found.add(nonNegative.join(' '))
    if (letter === 'M') found.add(nonNegative.filter(name => resources[name] === top).join(' '))
  }
  return found
}

for (const [row, columns] of Object.entries(ROWS)) {
  for (const [address, cells] of Object.entries(columns)) {
    test(`§8.5.4: ${row}, to ${address}`, async t => {
      const resources = RESOURCES[row]
      assert.ok(resources, `no set-up for "${row}"`)
      const server = await startTestServer(t)
      const account = row === 'account does not exist' ? 'nobody@localhost' : 'romeo@localhost'
      if (row !== 'account does not exist') await server.addUser('romeo@localhost', 'a password for tests')
      const cast = Object.fromEntries(Object.keys(resources).map(name => [name, `romeo@localhost/${name}`]))
      await scenario(server, { juliet: 'juliet@localhost/balcony', ...cast }, async players => {
        const { juliet, ...romeos } = players as Record<string, Player>
        assert.ok(juliet)
        for (const [name, romeo] of Object.entries(romeos)) {
          await romeo.sends(`<presence><priority>${resources[name] ?? 0}</priority></presence>`)
          await romeo.fence()
        }
        for (const romeo of Object.values(romeos)) await romeo.forgets()
        const first = Object.keys(resources)[0]
        const matched = address === 'full match' ? first : undefined
        const to = address === 'bare' ? account : `${account}/${matched ?? 'elsewhere'}`
        for (const [i, type] of TYPES.entries()) {
          const cell = cells[i] ?? ''
          const result = await outcome(juliet, romeos, to, type)
          const wanted = allowed(cell, resources, matched)
          assert.ok(
            wanted.has(result),
            `${type}: "${result}" is none of ${[...wanted].join(' | ')} (${cell})`
          )
        }
        const forError = await outcome(juliet, romeos, to, 'error')
        assert.equal(forError, matched ?? 'S', 'type error')
      })
    })
  }
}
