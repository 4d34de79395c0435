import {
  JID,
  renderTable,
  StanzaError,
  type AdhocCommand,
  type Context,
  type FederationStream,
  type FormDef,
  type FormValues
} from '#core'
import { actOnEach, date, done, OWN } from '../lib_admin'

/** Domains that one command may name. */
const MAX_DOMAINS = 100

const SHARED = 'shared with other hosts of this server'
const ASK = 'ask an operator to close it'

/** A pair of domains on a stream; the local one is this host's. */
interface Used {
  stream: FederationStream
  pair: FederationStream['pairs'][number]
}

/** Streams between this host and other servers. */
export function streamCommands(ctx: Context): AdhocCommand[] {
  return [
    {
      node: `${OWN}#s2s-list`,
      name: 'List streams with other servers',
      access: 'admin',
      onAccount: true,
      reads: true,
      stages: [],
      finish(_, run) {
        done({ ctx, run, command: 's2s-list' }, ctx.host.name)
        return { form: renderTable(TABLE, [...streamRows(ctx), ...waitingRows(ctx)]) }
      }
    },
    {
      node: `${OWN}#s2s-close`,
      name: 'Close streams with other servers',
      access: 'admin',
      onAccount: true,
      stages: [{ form: () => closeForm(ctx) }],
      finish: (said, run) =>
        actOnEach({ ctx, run, command: 's2s-close' }, said.domains as string[], domain => {
          const streams = new Set(
            used(ctx)
              .filter(({ pair }) => pair.remote === domain)
              .map(({ stream }) => stream)
          )
          if (streams.size === 0) throw new StanzaError('item-not-found', 'has no stream with this host')
          const own = [...streams].filter(stream => run.role === 'operator' || !isShared(ctx, stream))
          const left = streams.size - own.length
          if (own.length === 0) throw new StanzaError('not-allowed', `${SHARED}: ${ASK}`)
          for (const { key } of own) ctx.server.federation.close(key)
          const what = own.length === 1 ? 'was disconnected' : `was disconnected, ${own.length} streams`
          return left === 0 ? what : `${what}; ${left} more ${SHARED}: ${ASK}`
        })
    }
  ]
}

const TABLE: FormDef = {
  formType: OWN,
  title: 'Streams with other servers',
  fields: [
    { var: 'domain', type: 'jid-single', label: 'Server' },
    { var: 'direction', label: 'Direction' },
    { var: 'security', label: 'TLS, authentication' },
    { var: 'address', label: 'Address' },
    { var: 'since', label: 'Since' },
    { var: 'waiting', label: 'Not acknowledged, or waiting' },
    { var: 'problem', label: 'Problem' }
  ]
}

function used(ctx: Context): Used[] {
  return ctx.server.federation
    .streams()
    .flatMap(stream => stream.pairs.map(pair => ({ stream, pair })))
    .filter(({ pair }) => ctx.server.host(pair.local) === ctx.host)
}

/** Other hosts of this server, which have administrators of their own, would lose it too. */
function isShared(ctx: Context, { pairs }: FederationStream): boolean {
  return pairs.some(({ local }) => ctx.server.host(local) !== ctx.host)
}

function streamRows(ctx: Context): FormValues[] {
  return used(ctx).map(({ stream, pair }) => ({
    domain: pair.remote,
    direction: [pair.receives && 'in', pair.sends && 'out'].filter(Boolean).join(', ') || 'keys alone',
    security: [stream.tls ? 'TLS' : 'no TLS', stream.auth].filter(Boolean).join(', '),
    address: stream.remoteAddress,
    since: date(stream.since),
    waiting: String(stream.unacknowledged)
  }))
}

/** What waits for servers that are not connected. */
function waitingRows(ctx: Context): FormValues[] {
  return ctx.server.federation
    .queues()
    .filter(({ local, connected }) => !connected && ctx.server.host(local) === ctx.host)
    .map(({ remote, stanzas, problem }) => ({
      domain: remote,
      direction: 'not connected',
      waiting: String(stanzas),
      problem: problem ?? ''
    }))
}

function closeForm(ctx: Context): FormDef {
  return {
    formType: OWN,
    title: 'Close streams with other servers',
    instructions:
      'What waits goes over new streams. To keep a server out, change the federation policy. What other hosts of this server use as well, operators close.',
    fields: [
      {
        var: 'domains',
        type: 'list-multi',
        label: 'Servers',
        required: true,
        open: true,
        maxValues: MAX_DOMAINS,
        options: [...new Set(used(ctx).map(({ pair }) => pair.remote))].sort(),
        check: value => JID.parse(value).domain
      }
    ]
  }
}
