import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import ts from 'typescript'
import { JID } from '../../../core/jid'
import { EVENTS } from '../../../core/routing/events'
import { childText, el, type Element } from '../../../core/xml/element'
import { Rig, tempFolder, write } from './rig'

const ROOT = path.resolve(__dirname, '../../..')
const PAGE = readFileSync(path.join(ROOT, 'docs', 'writing-a-module.md'), 'utf8')

/** The fenced blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text ?? ''
  )
}

const MODULES = blocks('ts').filter(text => text.includes('export default defineModule'))

test('the module of the page runs from a folder of its own, and is edited and reloaded', async t => {
  const [hello = ''] = MODULES
  const sent: Element[] = []
  const rig = new Rig(t, {
    files: { 'mod_hello/index.ts': hello },
    config: 'hosts: { a.example: { modules: { hello: { greeting: Good evening } } } }',
    outgoing: { send: stanza => void sent.push(stanza) }
  })
  await rig.manager.start()
  const say = (): string | undefined => {
    const stanza = el('message', { type: 'chat' }, el('body', null, 'hi'))
    const from = JID.parse('juliet@a.example/balcony')
    const event = { owner: undefined, stanza, from }
    assert.equal(rig.host().hooks.run('message/host', event), Symbol.for('balcony.handled'))
    assert.equal(sent.at(-1)?.attrs.to, from.full)
    return childText(sent.at(-1) as Element, 'body')
  }
  assert.equal(say(), 'Good evening, juliet! This is answer 1.')
  rig.write({ 'mod_hello/index.ts': hello.replace('This is answer', 'You have asked for') })
  assert.equal((await rig.manager.reload('hello')).ok, true)
  assert.equal(say(), 'Good evening, juliet! You have asked for 2.')

  rig.write({ 'mod_hello/index.ts': hello.replace('answers++', 'answers+') })
  const report = await rig.manager.reload('hello')
  assert.ok(report.message.includes(`${rig.file('mod_hello/index.ts')}:18:`), report.message)
  assert.equal(say(), 'Good evening, juliet! You have asked for 3.')
})

test('every module of the page can be started', async t => {
  assert.ok(MODULES.length > 1)
  const name = (text: string): string => /name: '(\w+)'/.exec(text)?.[1] ?? ''
  const rig = new Rig(t, {
    files: Object.fromEntries(MODULES.map(text => [`mod_${name(text)}/index.ts`, text])),
    config: `hosts: { a.example: { modules: { ${MODULES.map(text => `${name(text)}: {}`).join(', ')} } } }`,
    db: { store: () => ({}), statement: () => ({}) } as object
  })
  await rig.manager.start()
  assert.deepEqual(
    rig.manager.list().map(one => one.state),
    MODULES.map(() => 'running')
  )
})

test('the code of the page is right by its types, with the tsconfig of the page', t => {
  const folder = tempFolder(t)
  const [config = '{}'] = blocks('json')
  const files = blocks('ts').map((text, i) => {
    // A block that only declares is a part of a module's file
    const whole = text.includes('import ') ? text : `import 'balcony'\n${text}`
    write(folder, { [`block-${i}.ts`]: whole })
    return path.join(folder, `block-${i}.ts`)
  })
  const { options, errors, fileNames } = ts.parseJsonConfigFileContent(
    JSON.parse(config.replaceAll('/path/to/balcony', ROOT)),
    ts.sys,
    folder
  )
  assert.deepEqual(errors, [])
  assert.deepEqual(fileNames.filter(file => file.startsWith(folder)).sort(), files.sort())
  // Balcony's own files too: an author who runs tsc must not be told of them
  const faults = ts
    .getPreEmitDiagnostics(ts.createProgram(fileNames, options))
    .map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    )
  assert.deepEqual(faults, [])
})

test('the events of the page are those of the server', () => {
  const how = { yes: 'may wait', tx: 'in the write', no: 'must not wait' }
  const rows = Object.entries(EVENTS).map(
    ([name, { when, payload, async, handled }]) =>
      `| \`${name}\` | ${when} | \`${payload}\` | ${how[async]} | ${handled} |`
  )
  const table = [
    '| event | when | payload | handlers | HANDLED means |',
    '|---|---|---|---|---|',
    ...rows
  ].join('\n')
  const [, found = ''] = /<!-- events:[^\n]*-->\n([^]*)<!-- \/events -->/.exec(PAGE) ?? []
  assert.equal(found.trim(), table, `the table in docs/writing-a-module.md should be:\n${table}\n`)
})

test('the codes of the page are those that modules can meet', () => {
  const thrown = new Set<string>()
  for (const file of readdirSync(path.join(ROOT, 'core/modules'))) {
    const source = readFileSync(path.join(ROOT, 'core/modules', file), 'utf8')
    for (const [code] of source.matchAll(/(?<=')ERR_(?:MODULES?|IQ)_\w+(?=')/g)) thrown.add(code)
  }
  const told = [...PAGE.matchAll(/^\| `(ERR_\w+)` \|/gm)].map(([, code]) => code)
  assert.deepEqual(told.toSorted(), [...thrown].sort())
})
