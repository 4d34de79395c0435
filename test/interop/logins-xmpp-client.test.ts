import path from 'node:path'
import { runs } from './child'
import { loginTests } from './logins/ways'

const SCRIPT = path.join(__dirname, 'logins/xmpp-client.mjs')

loginTests({
  name: '@xmpp/client',
  skip: false,
  logsIn: way => {
    const version = way.tls === '1.2' ? '--tls-max-v1.2' : '--tls-min-v1.3'
    return runs([process.execPath, version, SCRIPT], way, { NODE_EXTRA_CA_CERTS: way.ca })
  }
})
