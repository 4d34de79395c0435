import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { TestCa, writeLeaf } from '../lib/ca'
import { federation, Heard, type FederatedOptions } from '../lib/federation'
import { join } from '../lib/wire'

const SECOND = 1 / 86_400

test('RFC 6120 §13.7.2.3: a stream ends when the certificate expires that it was opened by', async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-expiry-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const ca = await TestCa.make()
  const certified = async (name: string, until: number): Promise<FederatedOptions> => ({
    s2s: { auth: 'certificate', bidi: false, queue: { seconds: 1 } },
    config: {
      tls: { ...writeLeaf(folder, name, await ca.issue({ dns: [name], until })), ca: [ca.write(folder)] }
    }
  })
  const servers = await federation(t, {
    'b.example': await certified('b.example', 90),
    'a.example': await certified('a.example', 8 * SECOND)
  })
  const [a, b] = [servers['a.example'], servers['b.example']]
  const heard = new Heard(b, 'b.example')
  const romeo = await join(a, 'romeo', { jid: 'romeo@a.example/orchard' })
  t.after(() => romeo.destroy())
  await romeo.sends(`<message to='juliet@b.example' id='m1'><body>But soft</body></message>`)
  await heard.until('m1')
  const stream = b.server.federation.streams().find(({ direction }) => direction === 'in')
  assert.equal(stream?.auth, 'external')
  const until = Date.now() + 30_000
  while (b.server.federation.streams().some(({ key }) => key === stream.key)) {
    assert.ok(Date.now() < until, 'the stream is still there')
    await romeo.fence()
  }
  // And there is no way back
  await romeo.sends(
    `<message to='juliet@b.example' type='chat' id='m2'><body>It is the east</body></message>`
  )
  await romeo.finds(`<message from='juliet@b.example' id='m2' type='error'/>`)
  assert.deepEqual(heard.ids, ['m1'])
})
