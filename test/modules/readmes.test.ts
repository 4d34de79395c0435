import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import type { DescribedKey } from '../../core/config'
import { describeConfig, describeFile, formatFaults, loadConfig } from '../../core/config'
import { ModuleCatalogue } from '../../core/modules/catalogue'
import { ModuleLoader } from '../../core/modules/loader'
import { OWN_MODULES } from '../../core/server/config'

const ROOT = path.resolve(__dirname, '../..')
const CONFIG = path.join(ROOT, 'config')

const loader = new ModuleLoader([OWN_MODULES], path.join(ROOT, 'core/index.ts'))
const optionsOf = (name: string): DescribedKey[] => describeConfig(loader.load(name).definition.config)

/** Keys that hold values themselves: not the maps around them, not what is in lists. */
function leaves(keys: readonly DescribedKey[]): DescribedKey[] {
  return keys.filter(
    ({ key }) => !/\[\]|<name>/.test(key) && !keys.some(other => other.key.startsWith(`${key}.`))
  )
}

/** The rows of the table of options in a README: key and default, as written. */
function documented(readme: string): [string, string][] {
  const rows = [...readme.matchAll(/^\| key \| default \|.*\n\|[-| ]+\|\n((?:\|.*\n?)*)/gm)]
  return rows.flatMap(([, table = '']) =>
    table
      .split('\n')
      .filter(row => row !== '')
      .map(row => row.split('|').map(cell => cell.trim()))
      .map(([, key = '', written = '']) => [unquoted(key), written] as [string, string])
  )
}

function unquoted(cell: string): string {
  return /^`(.*)`$/.exec(cell)?.[1] ?? cell
}

for (const folder of fs.readdirSync(OWN_MODULES)) {
  const file = path.join(OWN_MODULES, folder, 'README.md')

  test(`${folder} has a page`, () => {
    assert.ok(fs.existsSync(file), 'README.md is missing')
    assert.equal(fs.readFileSync(file, 'utf8').split('\n')[0], `# ${folder}`)
  })
  if (!folder.startsWith('mod_')) continue

  test(`the page of ${folder} has the options of its schema, with their defaults`, () => {
    const rows = documented(fs.readFileSync(file, 'utf8'))
    const options = leaves(optionsOf(folder.slice('mod_'.length)))
    assert.deepEqual(rows.map(([key]) => key).sort(), options.map(({ key }) => key).sort())
    for (const { key, default: json } of options) {
      const written = rows.find(([name]) => name === key)?.[1] ?? ''
      // In words, what holds without it
      if (json === undefined) assert.doesNotMatch(written, /^(?:`[^`]*`)?$/, `${key}: it has no default`)
      else assert.deepEqual(parse(unquoted(written)), JSON.parse(json), `${key}: the default`)
    }
  })
}

test('every option of every module is described', () => {
  for (const name of loader.names())
    for (const { key, description } of optionsOf(name)) assert.notEqual(description, '', `${name}: ${key}`)
})

function load(text: string): ReturnType<typeof loadConfig> {
  const env = { BALCONY_DB_PASSWORD: 'x', BALCONY_COMPONENT_SECRET: 'x' }
  return loadConfig({ text, name: 'balcony.yaml', folder: CONFIG }, new ModuleCatalogue(loader), env)
}

/** The file with all that is commented out, but for paths of files that are only examples. */
function uncommented(text: string): string {
  const example = /^ *# tls:\n(?: *# {3}.*\n)+/gm
  return text.replace(example, '').replace(/^( *)# ((?: *)(?:#|[\w.]+:(?: |$)).*)$/gm, '$1$2')
}

/** What a file says, by the keys of the schema; lists and empty maps are values. */
function* values(node: unknown, at = ''): Generator<[string, unknown]> {
  const isMap = typeof node === 'object' && node !== null && !Array.isArray(node)
  if (!isMap || Object.keys(node).length === 0) return yield [at, node]
  for (const [key, value] of Object.entries(node)) yield* values(value, at === '' ? key : `${at}.${key}`)
}

const defaultConfig = fs.readFileSync(path.join(CONFIG, 'balcony.yaml'), 'utf8')

test('the default config has no fault, neither has what is commented out in it', () => {
  for (const text of [defaultConfig, uncommented(defaultConfig)]) {
    const result = load(text)
    assert.ok(result.ok, result.ok ? '' : formatFaults(result.faults))
  }
  assert.notEqual(uncommented(defaultConfig), defaultConfig)
})

test('the example for production has no fault but for the files that it names', () => {
  const text = fs.readFileSync(path.join(CONFIG, 'production.example.yaml'), 'utf8')
  const result = load(text.replaceAll(/\/etc\/balcony\S*/g, path.join(ROOT, 'package.json')))
  assert.ok(result.ok, result.ok ? '' : formatFaults(result.faults))
})

test('the example of a component has no fault', () => {
  const result = load(fs.readFileSync(path.join(CONFIG, 'component.example.yaml'), 'utf8'))
  assert.ok(result.ok, result.ok ? '' : formatFaults(result.faults))
})

/** Where the default config says something else than a server without a config would do. */
const CHOSEN = ['data', 'operators', 'http.listen']

test('the default config explains every key of the server and shows its default', () => {
  const file = parse(uncommented(defaultConfig)) as Record<string, unknown>
  const said = new Map(values(file))
  // With MySQL, and files that have no default
  const elsewhere = /^(?:storage\.(?:host|port|socket|user|password|database|pool)|tls\..*)$/
  for (const { key, default: json } of leaves(describeFile())) {
    if (/^(?:modules|hosts)\b/.test(key) || elsewhere.test(key)) continue
    assert.ok(said.has(key), `${key} is not in the file`)
    if (!CHOSEN.includes(key) && json !== undefined)
      assert.deepEqual(said.get(key), JSON.parse(json), `${key}: the default`)
  }
})

test('the options of modules that the default config shows are the defaults', () => {
  const { modules, hosts } = parse(uncommented(defaultConfig)) as {
    modules: Record<string, object>
    hosts: Record<string, { modules?: Record<string, object> }>
  }
  const shown = [modules, ...Object.values(hosts).map(host => host.modules ?? {})].flatMap(Object.entries)
  let compared = 0
  for (const [name, options] of shown as [string, object][]) {
    const known = new Map(optionsOf(name).map(option => [option.key, option.default]))
    for (const [key, value] of values(options)) {
      if (key === '' || known.get(key) === undefined) continue
      assert.deepEqual(value, JSON.parse(known.get(key) ?? ''), `${name}.${key}: the default`)
      compared++
    }
  }
  assert.ok(compared > 0)
})
