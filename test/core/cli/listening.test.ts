import assert from 'node:assert/strict'
import test from 'node:test'
import { listening } from '../../../core/cli/listening'
import { startFederated } from '../../lib/federation'

test('the ports of other servers are among those that the server listens on', async t => {
  const { server } = await startFederated(t, 'montague.example')
  const [tcp, tls] = server.federation.ports()
  assert.deepEqual(
    listening(server).filter(line => line.startsWith('other servers')),
    [
      `other servers (STARTTLS) on 127.0.0.1:${tcp?.port}`,
      `other servers (direct TLS) on 127.0.0.1:${tls?.port}`
    ]
  )
})
