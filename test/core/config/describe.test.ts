import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { z } from 'zod'
import {
  describeConfig,
  describeFile,
  formatFaults,
  listenOption,
  loadConfig,
  type ModuleCatalogue
} from '../../../core/config'

const FOLDER = path.join(__dirname, '../../../config')

/** Any module, on anything, with any options: what the modules' own schemas say is tested with them. */
const anything: ModuleCatalogue = {
  get: () => ({ schema: z.looseObject({}), on: ['server', 'virtual', 'component'] }),
  names: () => []
}

test('a schema is told key by key', () => {
  const schema = z.object({
    listen: z.array(listenOption()).default([]).describe('Addresses'),
    mode: z.enum(['a', 'b']).optional().describe('Which'),
    limits: z
      .object({ size: z.int().min(1).default(5).describe('Bytes') })
      .prefault({})
      .describe('Bounds'),
    names: z.record(z.string(), z.object({ on: z.boolean() })).describe('Names')
  })
  assert.deepEqual(
    describeConfig(schema).map(key => [
      key.key,
      key.type,
      key.default,
      key.required,
      key.description.slice(0, 10)
    ]),
    [
      ['listen', 'list of map', '[]', false, 'Addresses'],
      ['listen[].address', 'IP address', undefined, true, 'IP address'],
      ['listen[].port', 'whole number from 0 to 65535', undefined, true, 'TCP port; '],
      ['mode', '"a" or "b"', undefined, false, 'Which'],
      ['limits', 'map', '{}', false, 'Bounds'],
      ['limits.size', 'whole number of at least 1', '5', false, 'Bytes'],
      ['names', 'map', undefined, true, 'Names'],
      ['names.<name>.on', 'true or false', undefined, true, '']
    ]
  )
})

test('every key of the file has a description', () => {
  const keys = describeFile()
  assert.ok(keys.length > 40)
  assert.deepEqual(
    keys.filter(key => key.description === '').map(key => key.key),
    []
  )
  assert.equal(keys.find(key => key.key === 'log.level')?.live, true)
  assert.equal(keys.find(key => key.key === 'log.format')?.live, false)
  assert.equal(keys.find(key => key.key === 'limits.depth')?.live, true)
})

test('the default config is in order and names every key that it can', () => {
  const file = path.join(FOLDER, 'balcony.yaml')
  const result = loadConfig(file, anything, {})
  assert.ok(result.ok, result.ok ? '' : formatFaults(result.faults))
  assert.equal(result.config.server.data, path.join(FOLDER, '../data'))

  const text = fs.readFileSync(file, 'utf8')
  const mysqlOnly = ['host', 'port', 'socket', 'user', 'password', 'database', 'pool'].map(
    key => `storage.${key}`
  )
  const unnamed = describeFile().filter(({ key }) => {
    const last = key.replace(/^.*[.\]]/, '')
    return !mysqlOnly.includes(key) && !new RegExp(`\\b${last}:`).test(text)
  })
  assert.deepEqual(
    unnamed.map(key => key.key),
    []
  )
})

test('values that the default config shows in comments are the defaults', () => {
  const text = fs.readFileSync(path.join(FOLDER, 'balcony.yaml'), 'utf8')
  const uncommented = text.replace(/^# (limits:\n(?:# .*\n)+)/m, (_, block: string) =>
    block.replace(/^# /gm, '')
  )
  assert.notEqual(uncommented, text)
  const shown = loadConfig({ text: uncommented, name: 'shown' }, anything, {})
  const plain = loadConfig({ text: 'hosts: { localhost: }', name: 'plain' }, anything, {})
  assert.ok(shown.ok && plain.ok)
  assert.deepEqual(shown.config.server.limits, plain.config.server.limits)
  assert.deepEqual(shown.config.server.log, plain.config.server.log)
})

test('the example for production wants its secret and its certificates, and nothing else', () => {
  const faults = (env: Record<string, string>) => {
    const result = loadConfig(path.join(FOLDER, 'production.example.yaml'), anything, env)
    assert.ok(!result.ok)
    return result.faults.filter(fault => !fault.message.startsWith('there is no /etc/balcony/'))
  }
  assert.deepEqual(faults({ BALCONY_DB_PASSWORD: 'x' }), [])
  assert.deepEqual(
    faults({}).map(fault => fault.message),
    ['the environment variable BALCONY_DB_PASSWORD is not set']
  )
})
