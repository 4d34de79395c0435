import assert from 'node:assert/strict'
import test from 'node:test'
import type { CommandRun, Context, FederationStream } from '../../../core'
import { Host } from '../../../core/hosts/host'
import { createLogger } from '../../../core/log'
import { streamCommands } from '../../../modules/mod_adhoc_admin/streams'

/** The command of `a.example`, where these streams are open; what was closed. */
function rig(streams: Record<number, string[]>) {
  const hosts = new Map(['a.example', 'b.example'].map(name => [name, new Host(name, 'virtual')]))
  const closed: number[] = []
  const described = Object.entries(streams).map(([key, locals]) => ({
    key: Number(key),
    pairs: locals.map(local => ({ local, remote: 'far.example', sends: true, receives: true }))
  })) as unknown as FederationStream[]
  const ctx = {
    host: hosts.get('a.example'),
    log: createLogger({ level: 'fatal', format: 'json', destination: { write: () => undefined } }),
    server: {
      host: (name: string) => hosts.get(name),
      federation: { streams: () => described, close: (key: number) => closed.push(key) }
    }
  } as unknown as Context
  const command = streamCommands(ctx).find(({ node }) => node.endsWith('#s2s-close'))
  const close = async (role: CommandRun['role'], domain = 'far.example'): Promise<string | undefined> => {
    const run: CommandRun = {
      requester: undefined,
      actor: 'x@a.example',
      role,
      event: undefined,
      lang: undefined
    }
    const result = await command?.finish({ domains: [domain] }, run)
    return result?.notes?.[0]?.text
  }
  return { close, closed }
}

test('a stream that other hosts use too is closed by operators alone', async () => {
  const shared = rig({ 1: ['a.example', 'b.example'] })
  await assert.rejects(shared.close('admin'), { condition: 'not-allowed', text: /ask an operator/ })
  assert.deepEqual(shared.closed, [])
  assert.equal(await shared.close('operator'), 'far.example was disconnected')
  assert.deepEqual(shared.closed, [1])

  const both = rig({ 1: ['a.example', 'b.example'], 2: ['a.example'], 3: ['b.example'] })
  assert.equal(
    await both.close('admin'),
    'far.example was disconnected; 1 more shared with other hosts of this server: ask an operator to close it'
  )
  assert.deepEqual(both.closed, [2])
  await assert.rejects(rig({ 3: ['b.example'] }).close('operator'), { condition: 'item-not-found' })
})
