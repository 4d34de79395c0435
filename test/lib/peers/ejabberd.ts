import fs from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import type { Leaf } from '../ca'
import { TestClient } from '../client'
import { find } from './guarded'
import { PORTS } from './loopback'
import { Peer, type PeerOptions } from './peer'

const CONTROL = find('ejabberdctl')

/** Why there can be no ejabberd here; false where there can. For `skip` of node:test. */
export const ejabberdMissing =
  process.platform === 'linux' && CONTROL !== undefined && find('erl') !== undefined
    ? (false as const)
    : 'ejabberd is not installed (Debian: apt-get install ejabberd)'

/** Debian's ejabberd, as its own script starts it in the foreground, without Erlang's port mapper. */
export class Ejabberd extends Peer {
  /** It asks for SRV as it is told, for addresses by getaddrinfo. */
  readonly asksForAddresses = false

  static start(t: TestContext, options: PeerOptions): Promise<Ejabberd> {
    return Peer.ready(t, options, host => new Ejabberd(options, host))
  }

  protected prepare({ certificate, key }: Leaf): void {
    fs.mkdirSync(this.file('spool'))
    fs.writeFileSync(this.file('own.pem'), certificate + key)
    fs.writeFileSync(this.file('ca.crt'), this.options.ca.pem)
    const { edit = config => config } = this.options
    fs.writeFileSync(this.file('ejabberd.yml'), edit(stringify(this.#config())))
    fs.writeFileSync(
      this.file('inetrc'),
      [
        '{lookup, [dns]}.',
        '{resolv_conf, ""}.',
        '{hosts_file, ""}.',
        `{nameserver, {127,0,0,1}, ${this.options.dns.port}}.`,
        '{edns, false}.',
        ''
      ].join('\n')
    )
  }

  #config(): object {
    const {
      domain,
      components = {},
      globalRoutes = false,
      auth,
      tls = 'required',
      acks = true
    } = this.options
    const listener = (port: number, module: string, more: object = {}) => ({
      port,
      ip: this.host,
      module,
      ...more
    })
    return {
      loglevel: 'debug',
      log_rotate_count: 0,
      hosts: [domain],
      certfiles: [this.file('own.pem')],
      ca_file: this.file('ca.crt'),
      s2s_cafile: this.file('ca.crt'),
      s2s_use_starttls: tls === 'off' ? false : auth === 'certificate' ? 'required_trusted' : 'required',
      s2s_timeout: 30,
      auth_password_format: 'scram',
      registration_timeout: 'infinity',
      disable_sasl_mechanisms: ['digest-md5', 'X-OAUTH2'],
      listen: [
        listener(PORTS.c2s, 'ejabberd_c2s', { starttls: true, starttls_required: false }),
        listener(PORTS.s2s, 'ejabberd_s2s_in'),
        ...(tls === 'off' ? [] : [listener(PORTS.directTls, 'ejabberd_s2s_in', { tls: true })]),
        ...(Object.keys(components).length === 0
          ? []
          : [
              listener(PORTS.component, 'ejabberd_service', {
                global_routes: globalRoutes,
                hosts: Object.fromEntries(
                  Object.entries(components).map(([name, password]) => [name, { password }])
                )
              })
            ])
      ],
      access_rules: { local: { allow: 'all' }, c2s: { allow: 'all' } },
      modules: {
        mod_disco: {},
        mod_ping: {},
        mod_register: { access: 'local', ip_access: 'all', welcome_message: {} },
        mod_roster: {},
        mod_offline: {},
        mod_version: {},
        mod_s2s_dialback: {},
        ...(acks ? { mod_stream_mgmt: {} } : {})
      }
    }
  }

  protected command() {
    const [, libraries = ''] = /^ERL_LIBS='(.*)'/m.exec(fs.readFileSync(CONTROL ?? '', 'utf8')) ?? []
    return {
      command: [
        find('erl') ?? 'erl',
        '-noinput',
        // No name: nodes do not have to find each other
        '-kernel',
        'inetrc',
        `"${this.file('inetrc')}"`,
        '-mnesia',
        'dir',
        `"${this.file('spool')}"`,
        '-s',
        'ejabberd'
      ],
      env: {
        HOME: this.folder,
        ERL_LIBS: libraries,
        ERL_CRASH_DUMP: path.join(this.folder, 'crash'),
        ERL_CRASH_DUMP_BYTES: '0',
        EJABBERD_CONFIG_PATH: this.file('ejabberd.yml'),
        EJABBERD_LOG_PATH: this.file('ejabberd.log'),
        EJABBERD_PID_PATH: this.file('pid')
      }
    }
  }

  override log(): string {
    const own = this.file('ejabberd.log')
    return super.log() + (fs.existsSync(own) ? fs.readFileSync(own, 'utf8') : '')
  }

  /** By in-band registration (XEP-0077). */
  async addUser(jid: string, password: string): Promise<void> {
    const [user = '', domain = ''] = jid.split('@')
    const client = await TestClient.connect({ host: this.host, port: PORTS.c2s, domain })
    try {
      await client.open()
      const answer = await client.request(
        `<iq type='set'><query xmlns='jabber:iq:register'><username>${user}</username><password>${password}</password></query></iq>`
      )
      // It is there already: that will do.
      const { type } = answer.attrs
      if (type !== 'result' && !answer.toString().includes('conflict'))
        throw new Error(`${jid} cannot be registered: ${answer.toString()}`)
    } finally {
      client.destroy()
    }
  }
}
