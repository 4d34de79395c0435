import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { harmless, table } from '../../../core/cli/output'
import { configFile, dataFolder } from '../../../core/cli/place'
import { welcome } from '../../../core/cli/welcome'

test('the welcome of a first start tells what was made, where it listens, what to do next', () => {
  const text = welcome({
    version: '1.2.3',
    listening: ['clients (STARTTLS) on 127.0.0.1:5222'],
    certificate: { file: '/srv/balcony/balcony.crt', fingerprint: 'AB:CD' },
    operator: { jid: 'admin@localhost', password: 'swordfish' },
    host: 'localhost'
  })
  for (const part of [
    'Balcony 1.2.3',
    'admin@localhost',
    'swordfish',
    '/srv/balcony/balcony.crt',
    'AB:CD (SHA-256)',
    '127.0.0.1:5222',
    'npx balcony user add juliet@localhost',
    'npx balcony user password admin@localhost',
    'Connect a client as juliet@localhost'
  ])
    assert.ok(text?.includes(part), `${part} is missing in\n${text}`)
})

test('there is no welcome where nothing was made, and no listening where nothing listens', () => {
  assert.equal(welcome({ version: '1', listening: ['clients on 127.0.0.1:5222'] }), undefined)
  const text = welcome({ version: '1', listening: [], operator: { jid: 'a@b', password: 'swordfish' } })
  assert.ok(text?.includes('npx balcony start'))
  assert.doesNotMatch(text ?? '', /listens|Connect a client/)
})

test('text of others does not steer the terminal', () => {
  assert.equal(
    JSON.parse(harmless(JSON.stringify('a\u202e\u{e0001}'))),
    'a\u202e\u{e0001}',
    'and is the same in JSON'
  )
  assert.equal(table(['A', 'B'], [['\u001b', 'x']]), 'A       B\n\\u001b  x')
  assert.equal(harmless('a\u001b[31mb\u202ec\td\ne'), 'a\\u001b[31mb\\u202ec\td\ne')
  assert.equal(
    table(
      ['A', 'BB'],
      [
        ['one', ''],
        ['x', 'two']
      ]
    ),
    'A    BB\none\nx    two'
  )
})

test('the data folder is the one of the config, also when the file has faults elsewhere', t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-place-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const config = path.join(folder, 'balcony.yaml')
  const of = (text: string, env: NodeJS.ProcessEnv = {}): string => {
    fs.writeFileSync(config, text)
    return dataFolder({ config }, env)
  }
  assert.equal(of('hosts: { localhost: {} }\n'), path.join(folder, 'data'))
  assert.equal(of('data: ../elsewhere\nnonsense: 1\nhosts: 7\n'), path.join(folder, '../elsewhere'))
  assert.equal(of('data: "${PLACE}/x"\n', { PLACE: '/srv' }), '/srv/x')
  assert.equal(of('data: [\n'), path.join(folder, 'data'))
  assert.equal(dataFolder({ config: path.join(folder, 'missing.yaml') }), path.join(folder, 'data'))
  assert.equal(dataFolder({ config, data: '/srv/data' }), '/srv/data')
})

test('the config file is the one named, BALCONY_CONFIG, or config/balcony.yaml', () => {
  assert.equal(configFile({ config: 'a.yaml' }, { BALCONY_CONFIG: 'b.yaml' }), 'a.yaml')
  assert.equal(configFile({}, { BALCONY_CONFIG: 'b.yaml' }), 'b.yaml')
  assert.ok(configFile({}, {}).endsWith(path.join('config', 'balcony.yaml')))
})
