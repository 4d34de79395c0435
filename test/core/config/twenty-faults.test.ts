import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { formatFaults, loadConfig } from '../../../core/config'
import { catalogue } from './catalogue'

/** Each fault stands on a line of its own, behind which the test says what is to be told of it. */
const FILE = `
log:
  level: inof                        #! log.level: expected "fatal", "error", "warn", "info", "debug" or "trace", got "inof"; did you mean "info"?
  colour: true                       #! log.colour: unknown key; known here: level, format
storage:
  driver: postgres                   #! storage.driver: expected "sqlite" or "mysql", got "postgres"
operators:
  - admin                            #! operators[0]: expected an address like admin@example.org, got "admin"
limits:
  stanza_bytes: 65536                #! limits.stanza_bytes: unknown key; did you mean "stanzaBytes"?
  depth: 5.5                         #! limits.depth: expected a whole number from 16 to 1000, got 5.5
http:
  listen:
    - address: 127.0.0.1
      prot: 5280                     #! http.listen[0].prot: unknown key; did you mean "port"?
modules:
  c2s:
    listen: [{ address: '::', port: abc }] #! modules.c2s.listen[0].port: expected a whole number from 0 to 65535, got "abc"
    tls: requird                     #! modules.c2s.tls: expected "required", "optional" or "off", got "requird"; did you mean "required"?
  rostr: {}                          #! modules.rostr: unknown module; did you mean "roster"?
  register: please                   #! modules.register: expected the module's options (a map), true or false
  broken: {}                         #! modules.broken: the module cannot be loaded: mod_broken/index.ts:3:7: Unexpected token
hosts:
  localhost:
    type: virtul                     #! hosts.localhost.type: expected "virtual" or "component", got "virtul"; did you mean "virtual"?
    admins: admin@localhost          #! hosts.localhost.admins: expected a list, got "admin@localhost"
    modules:
      c2s: {}                        #! hosts.localhost.modules.c2s: "c2s" cannot run here: it runs on the server, not on a host: move it to the "modules" at the top level of the file
      roster:
        maxContacts: 0               #! hosts.localhost.modules.roster.maxContacts: expected a whole number of at least 1, got 0
        maxContacts: 5               #! hosts.localhost.modules.roster.maxContacts: "maxContacts" stands here a second time; it was given in line 29 already
  LOCALHOST:                         #! hosts.LOCALHOST: this is the same host as "localhost" in line 23
  bad host: {}                       #! hosts["bad host"]: expected a domain like example.org: "bad host" is not a JID: its domain part holds U+0020, which is not allowed there
  rooms.localhost:
    type: component
    modules:
      push: {}                       #! hosts["rooms.localhost"].modules.push.key: missing; expected a string
      disco: { name: "\${NO_SUCH}" } #! hosts["rooms.localhost"].modules.disco.name: the environment variable NO_SUCH is not set
`.trimStart()

test('every fault of a file is told at once, each with its line', t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-config-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'balcony.yaml')
  fs.writeFileSync(file, FILE)

  const result = loadConfig(file, catalogue, {})
  assert.ok(!result.ok)

  const expected = FILE.split('\n').flatMap((text, i) => {
    const [, told] = text.split('#! ')
    return told === undefined ? [] : [`${file}:${i + 1}: ${told}`]
  })
  const told = formatFaults(result.faults).split('\n')
  assert.deepEqual(
    told.map(text => text.replace(/^(.*?:\d+):\d+ {2}/, '$1: ')),
    expected
  )
  assert.ok(expected.length >= 20, `${expected.length} faults`)
  assert.ok(new Set(expected).size === expected.length)
})

test('a fault names the column of the value, or of the key that is wrong', () => {
  const text = 'hosts:\n  localhost: { typ: virtual, admins: nobody }\n'
  const result = loadConfig({ text, name: 'balcony.yaml' }, catalogue, {})
  assert.ok(!result.ok)
  assert.equal(
    formatFaults(result.faults),
    'balcony.yaml:2:16  hosts.localhost.typ: unknown key; did you mean "type"?\n' +
      'balcony.yaml:2:38  hosts.localhost.admins: expected a list, got "nobody"'
  )
})
