import fs from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Leaf } from '../ca'
import { find } from './guarded'
import { PORTS } from './loopback'
import { Peer, type PeerOptions } from './peer'

/** Why there can be no Prosody here; false where there can. For `skip` of node:test. */
export const prosodyMissing =
  process.platform === 'linux' && find('prosody') !== undefined
    ? (false as const)
    : 'prosody is not installed (Debian: apt-get install prosody)'

// Prosody without lua-unbound asks the servers of /etc/resolv.conf at port 53, whatever its config says.
const DNS_MODULE = (port: number): string => `
module:set_global();
local methods = getmetatable(require "net.dns".resolver()).__index;
function methods:adddefaultnameservers() self:addnameserver("127.0.0.1"); end
local set_wrapper = methods.socket_wrapper_set;
function methods:socket_wrapper_set(wrap)
	set_wrapper(self, function (socket, resolver)
		local handler, err = wrap(socket, resolver);
		if not handler then return handler, err; end
		local connect = handler.setpeername;
		handler.setpeername = function (self, address) return connect(self, address, ${port}); end
		return handler;
	end);
end
`

/** Debian's Prosody. */
export class Prosody extends Peer {
  readonly asksForAddresses = true

  static start(t: TestContext, options: PeerOptions): Promise<Prosody> {
    return Peer.ready(t, options, host => new Prosody(options, host))
  }

  protected prepare({ certificate, key }: Leaf): void {
    for (const folder of ['data', 'modules']) fs.mkdirSync(this.file(folder))
    fs.writeFileSync(this.file('own.crt'), certificate)
    fs.writeFileSync(this.file('own.key'), key)
    fs.writeFileSync(this.file('ca.crt'), this.options.ca.pem)
    fs.writeFileSync(this.file('modules/mod_test_dns.lua'), DNS_MODULE(this.options.dns.port))
    const { edit = config => config } = this.options
    fs.writeFileSync(this.file('prosody.cfg.lua'), edit(this.#config()))
  }

  #config(): string {
    const { domain, dns, components = {}, auth, tls = 'required', bidi = true, acks = true } = this.options
    const off = [tls === 'off' ? 'tls' : '', bidi ? '' : 's2s_bidi', acks ? '' : 'smacks'].filter(Boolean)
    const modules = ['test_dns', 'posix', 'roster', 'saslauth', 'dialback', 'disco', 'ping', 'version']
      .concat('tls', 's2s_bidi', 'smacks')
      .filter(name => !off.includes(name))
    const on = (...ports: number[]): string => `{ ${ports.join(', ')} }`
    return `
run_as_root = true
daemonize = false
pidfile = "${this.file('pid')}"
data_path = "${this.file('data')}"
plugin_paths = { "${this.file('modules')}" }
log = { debug = "*console" }
modules_enabled = { ${modules.map(name => `"${name}"`).join('; ')} }
modules_disabled = { "http"; "limits" }
unbound = { resolvconf = false; hoststxt = false; forward = { "127.0.0.1@${dns.port}" } }
interfaces = { "${this.host}" }
component_interfaces = { "${this.host}" }
c2s_ports = ${on(PORTS.c2s)}
c2s_direct_tls_ports = { }
s2s_ports = ${on(PORTS.s2s)}
s2s_direct_tls_ports = ${tls === 'off' ? '{ }' : on(PORTS.directTls)}
component_ports = ${on(PORTS.component)}
http_ports = { }
https_ports = { }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
s2s_require_encryption = ${String(tls !== 'off')}
s2s_secure_auth = ${String(auth === 'certificate')}
ssl = { key = "${this.file('own.key')}"; certificate = "${this.file('own.crt')}"; cafile = "${this.file('ca.crt')}" }
VirtualHost "${domain}"
${Object.entries(components)
  .map(([name, secret]) => `Component "${name}"\n\tcomponent_secret = "${secret}"`)
  .join('\n')}
`
  }

  protected command() {
    // The folder is home too: nothing of whoever runs the tests.
    return {
      command: [find('prosody') ?? 'prosody', '--config', this.file('prosody.cfg.lua'), '-F'],
      env: { HOME: this.folder }
    }
  }

  /** As its own storage has it. */
  addUser(jid: string, password: string): Promise<void> {
    const [user = '', domain = ''] = jid.split('@')
    const folder = path.join(this.file('data'), encoded(domain), 'accounts')
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(
      path.join(folder, `${encoded(user)}.dat`),
      `return { ["password"] = ${JSON.stringify(password)}; };\n`
    )
    return Promise.resolve()
  }
}

function encoded(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, c => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
