// time limit: 480 s
import path from 'node:path'
import { playsParts } from './pubsub/server'

playsParts(
  {
    name: '@xmpp/client',
    skip: false,
    command: script => [process.execPath, script],
    service: server => `xmpp://localhost:${server.ports.tcp}`,
    // It trusts the certificate that the server made
    env: server => ({ NODE_EXTRA_CA_CERTS: path.join(server.folder, 'data', 'balcony.crt') })
  },
  [
    { name: 'the use cases of XEP-0060', script: 'xmpp-client-pubsub.mjs', ends: /ok the node is deleted/ },
    { name: 'channels', script: 'xmpp-client-channels.mjs', ends: /ok juliet takes her channel away/ }
  ]
)
