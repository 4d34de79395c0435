import { z } from 'zod'
import { DEFAULT_LIMITS } from '../xml/limits'
import {
  accountOption,
  dnsServerOption,
  listenOption,
  networkOption,
  pathOption,
  portOption,
  secretOption
} from './options'

const Log = z
  .object({
    level: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
      .default('info')
      .meta({ live: true })
      .describe('The least that is logged'),
    format: z
      .enum(['auto', 'pretty', 'json'])
      .default('auto')
      .describe('pretty is for people, json for programs; auto is pretty on a terminal and json elsewhere')
  })
  .describe('What the server writes to its standard output')

const Sqlite = z.object({
  driver: z.literal('sqlite').default('sqlite').describe('The kind of database'),
  path: z.string().min(1).default('balcony.sqlite').describe('The database file, below the data folder'),
  durability: z
    .enum(['full', 'normal'])
    .default('full')
    .describe('What a power cut may cost: nothing that was acknowledged (full), or the last moments (normal)')
})

const Mysql = z.object({
  driver: z.literal('mysql').describe('MySQL or MariaDB'),
  host: z.string().min(1).default('127.0.0.1').describe("The database server's name or address"),
  port: portOption().default(3306).describe("The database server's port"),
  socket: z.string().min(1).optional().describe('Path of a Unix socket, in place of host and port'),
  user: z.string().min(1).describe('Name to log in with'),
  password: secretOption().default('').describe('Password to log in with; best from the environment'),
  database: z.string().min(1).describe('Name of the database, which must exist'),
  pool: z.int().min(1).max(1000).default(10).describe('Connections at most')
})

const CertificateFiles = z.object({
  certificate: pathOption('exists').optional().describe('PEM file with the certificate and its chain'),
  key: pathOption('exists').optional().describe('PEM file with the private key')
})

/** A certificate with its key; both or none. */
function bothOrNone<S extends typeof CertificateFiles>(schema: S, description: string) {
  return schema
    .refine(
      tls => (tls.certificate === undefined) === (tls.key === undefined),
      'certificate and key belong together; one is missing'
    )
    .meta({ live: true })
    .describe(description)
}

const Tls = bothOrNone(
  CertificateFiles.extend({
    ca: z
      .array(pathOption('exists'))
      .default([])
      .describe(
        'PEM files with certificates of authorities that other servers are believed by, beside those that come with Node'
      )
  }),
  'The certificate of hosts without one of their own; without it one is made in the data folder'
)

const Dns = z
  .object({
    servers: z
      .array(dnsServerOption())
      .default([])
      .describe("DNS servers with or without a port, such as 127.0.0.53:53; none for the system's")
  })
  .meta({ live: true })
  .describe('How names of other servers are looked up')

const Limits = z
  .object({
    // RFC 6120 §13.12: not below 10,000
    stanzaBytes: z
      .int()
      .min(10_000)
      .max(16_777_216)
      .default(DEFAULT_LIMITS.stanzaBytes)
      .describe('Bytes of one stanza'),
    stanzaBytesBeforeLogin: z
      .int()
      .min(10_000)
      .max(16_777_216)
      .default(16_384)
      .describe('Bytes of one element of a client that has not logged in'),
    depth: z
      .int()
      .min(16)
      .max(1000)
      .default(DEFAULT_LIMITS.depth)
      .describe('Elements in each other, in one stanza'),
    elements: z
      .int()
      .min(64)
      .max(1_000_000)
      .default(DEFAULT_LIMITS.elements)
      .describe('Elements of one stanza'),
    attributes: z
      .int()
      .min(16)
      .max(1000)
      .default(DEFAULT_LIMITS.attributes)
      .describe('Attributes of one element'),
    queueStanzas: z
      .int()
      .min(10)
      .max(100_000)
      .default(1000)
      .describe('Stanzas of one sender that wait; when more come, its connection is paused'),
    queueBytes: z
      .int()
      .min(65_536)
      .max(268_435_456)
      .default(1_048_576)
      .describe('Bytes of stanzas of one sender that wait; when more come, its connection is paused'),
    unreadBytes: z
      .int()
      .min(65_536)
      .max(268_435_456)
      .default(8_388_608)
      .describe('Bytes that wait for a connection which does not read; when more come, it is closed'),
    unreadBytesInAll: z
      .int()
      .min(1_048_576)
      .max(17_179_869_184)
      .default(268_435_456)
      .describe(
        'Bytes that wait for all such connections together; when more come, the one with most of them is closed'
      ),
    loginSeconds: z.int().min(5).max(3600).default(60).describe('Time a client has for TLS, login and bind'),
    stopSeconds: z
      .int()
      .min(1)
      .max(300)
      .default(10)
      .describe('Time the server takes at most to end in good order')
  })
  .meta({ live: true })
  .describe('Bounds that real use does not meet; a change holds for connections that are there as well')

/** The keys of the file that concern the server as a whole. */
export const ServerSchema = z.object({
  log: Log.prefault({}),
  data: pathOption()
    .prefault('data')
    .describe('Folder for the database, keys, the lock and the control socket'),
  storage: z.discriminatedUnion('driver', [Sqlite, Mysql]).prefault({}).describe('Where everything is kept'),
  moduleFolders: z
    .array(pathOption('exists'))
    .default([])
    .describe(
      'Folders with modules of your own (mod_NAME), looked at before the ones that come with the server'
    ),
  operators: z
    .array(accountOption())
    .default([])
    .meta({ live: true })
    .describe('Accounts that may administer the whole server'),
  tls: Tls.prefault({}),
  dns: Dns.prefault({}),
  http: z
    .object({
      listen: z.array(listenOption()).default([]).describe('Addresses and ports; none for no HTTP'),
      trustedProxies: z
        .array(networkOption())
        .default([])
        .describe('Addresses and networks of proxies in front, which say whom they speak for'),
      proxyHeader: z
        .enum(['x-forwarded-for', 'forwarded'])
        .default('x-forwarded-for')
        .describe('The header in which they say it, and which they do not pass on as it came')
    })
    .prefault({})
    .meta({ live: true })
    .describe('The HTTP listener that modules share: WebSocket, web pages'),
  limits: Limits.prefault({})
})

/** One host, but for its modules' options. */
export const HostSchema = z.object({
  type: z
    .enum(['virtual', 'component'])
    .default('virtual')
    .describe('virtual: a host with accounts; component: a service, such as channels'),
  admins: z.array(accountOption()).default([]).describe('Accounts that may administer this host'),
  tls: bothOrNone(CertificateFiles, "This host's own certificate").optional(),
  modules: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Modules of this host alone, or options that differ here')
})

/** The whole file, but for the modules' options. */
export const FileSchema = ServerSchema.extend({
  modules: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Modules of the server, and modules that are on on every host they can run on'),
  hosts: z.record(z.string(), HostSchema).describe('The domains that this server answers for')
})

export type ServerConfig = z.infer<typeof ServerSchema>
export type HostOptions = z.infer<typeof HostSchema>
export type ListenAddress = z.infer<ReturnType<typeof listenOption>>
