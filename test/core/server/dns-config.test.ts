import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import { parse } from 'yaml'
import type { Options } from '../../lib/config'
import { TestDns } from '../../lib/dns'
import { startTestServer } from '../../lib/server'

test('DNS servers are those of the config, also after a reload', async t => {
  const one = await TestDns.start(t, { 'a.example': { a: ['192.0.2.1'] } })
  const two = await TestDns.start(t, { 'a.example': { a: ['192.0.2.2'] } })
  const server = await startTestServer(t, { config: { dns: { servers: [one.server] } } })
  const ask = async (): Promise<string[]> =>
    (await server.server.dns.addresses('a.example')).map(({ address }) => address)
  assert.deepEqual(await ask(), ['192.0.2.1'])

  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as Options
  server.writeConfig({ ...config, dns: { servers: [two.server] } })
  assert.deepEqual(await server.server.reloadConfig(), { ok: true, lines: ['dns.servers: changed'] })
  assert.deepEqual(await ask(), ['192.0.2.2'])

  for (const wrong of ['example.org', '127.0.0.1:0', '127.0.0.1:99999', '[127.0.0.1]:53', '']) {
    server.writeConfig({ ...config, dns: { servers: [wrong] } })
    const { ok, lines } = await server.server.reloadConfig()
    assert.equal(ok, false)
    assert.match(lines.join('\n'), /dns\.servers.*expected an IP address such as/)
  }
  assert.deepEqual(await ask(), ['192.0.2.2'])
})
