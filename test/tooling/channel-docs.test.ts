import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import type { CommandInfo, Turn } from '../../core/cli/admin/protocol'
import type { Answer } from '../../core/cli/control-protocol'
import { operationsOf } from '../../core/cli/operations'
import { perform } from '../../core/cli/perform'
import { config } from '../../modules/mod_channels/config'
import { IM_HOST } from '../lib/config'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario } from '../lib/wire'

/** docs/operating.md, "Running a channel host": its config is taken, and its commands do what is written. */

const FILE = path.resolve(__dirname, '../../docs/operating.md')
const CHAPTER = (/## Running a channel host\n(.*?)\n## /s.exec(fs.readFileSync(FILE, 'utf8')) ?? [])[1] ?? ''
const HOST = 'channels.montague.example'
const SQUARE = 'square@topics.montague.example'

/** `name field=value …`, as a shell reads it. */
function documented(): { line: string; name: string; fields: [string, string][] }[] {
  return [...CHAPTER.matchAll(/^npx balcony admin (\S+)(.*)$/gm)].map(([line, name = '', rest = '']) => ({
    line,
    name,
    fields: [...rest.matchAll(/ ([\w-]+)=("[^"]*"|\S*)/g)].map(([, field = '', value = '']) => [
      field,
      value.replaceAll('"', '')
    ])
  }))
}

function ask(server: TestServer, op: string, params: unknown = {}): Promise<Answer> {
  const { server: own } = server
  return perform(operationsOf(own), { op, params, user: 'tester' }, () => undefined, own.log)
}

/** Fills in the forms of a command one after the other; each field has to be in one of them. */
async function runs(
  server: TestServer,
  { node, stages }: CommandInfo,
  fields: readonly [string, string][]
): Promise<Turn> {
  const answers: [string, string[]][][] = []
  const left = new Set(fields.map(([name]) => name))
  const turn = async (finish: boolean): Promise<Turn> => {
    const answer = await ask(server, 'admin.turn', { host: HOST, node, answers, finish })
    assert.ok(answer.ok, JSON.stringify(answer))
    return answer.result as Turn
  }
  for (let at = 0; at < stages; at++) {
    const shown = await turn(false)
    assert.ok(shown.state === 'form' && shown.stage === at && !shown.fault, JSON.stringify(shown))
    const said = shown.form.fields.map((field): [string, string[]] => {
      const value = fields.find(([name]) => name === field.var)?.[1]
      left.delete(field.var)
      return [field.var, value === undefined ? field.values : value === '' ? [] : [value]]
    })
    answers.push(said)
  }
  assert.deepEqual([...left], [], 'fields that no form has')
  return await turn(true)
}

test('the config of the chapter is that of the module, and its values are the defaults', () => {
  const yaml = (/```yaml\n(.*?)```/s.exec(CHAPTER) ?? [])[1] ?? ''
  const { hosts } = parse(yaml) as { hosts: Record<string, { modules: { channels: object } }> }
  const { channels } = hosts[HOST]?.modules ?? {}
  assert.ok(channels)
  const defaults = config.parse({}) as Record<string, unknown>
  const entries = Object.entries(channels)
  assert.ok(entries.length >= 6)
  for (const [key, value] of entries) assert.equal(value, defaults[key], key)
})

test('the commands of the chapter are all there are, and do what is written', async t => {
  const server = await startTestServer(t, {
    hosts: {
      'montague.example': IM_HOST,
      [HOST]: { type: 'component', modules: { channels: {} } }
    }
  })
  const answer = await ask(server, 'admin.list')
  assert.ok(answer.ok)
  const there = new Map(
    (answer.result as CommandInfo[])
      .filter(({ host, node }) => host === HOST && /#channels?-/.test(node))
      .map(command => [command.node.slice(command.node.indexOf('#') + 1), command])
  )
  const lines = documented()
  assert.deepEqual([...new Set(lines.map(({ name }) => name))].sort(), [...there.keys()].sort())

  const make = (): Promise<void> =>
    scenario(
      server,
      { benvolio: 'benvolio@montague.example/x', romeo: 'romeo@montague.example/x' },
      async ({ romeo }) => {
        await romeo.request(
          `<iq type='set' to='${HOST}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='/user/${SQUARE}/posts'/></pubsub></iq>`
        )
      }
    )
  for (const { line, name, fields } of lines) {
    await make()
    const command = there.get(name)
    assert.ok(command, line)
    const done = await runs(server, command, fields)
    assert.ok(done.state === 'completed', `${line}: ${JSON.stringify(done)}`)
  }
  assert.deepEqual(server.errors(), [])
})
