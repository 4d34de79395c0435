import { defineModule, z, type Context } from '#core'
import { jrd, JRD, prefersJson, xrd, XRD, type Link } from './document'
import { domainOf } from './request'

const PATH = '/.well-known/host-meta'

/** XEP-0156 §3: any page may read it, and nothing of the one who asks is looked at. */
const CORS = { 'Access-Control-Allow-Origin': '*' }

/** Discovery of connection methods over HTTP (XEP-0156, by RFC 6415). */
export default defineModule({
  name: 'host_meta',
  description: 'Discovery of WebSocket over HTTP (XEP-0156)',
  on: ['server'],
  after: ['websocket'],
  config: z.object({}),
  setup(ctx) {
    const requests = ctx.metrics.counter('host_meta_requests_total', 'Requests for host-meta', ['result'])
    const answer = (request: Request, as: (request: Request) => Format): Response => {
      const links = linksOf(ctx, domainOf(request))
      requests.with(links.length > 0 ? 'found' : 'unknown').inc()
      // RFC 6415 §2: then there is nothing to be known
      if (links.length === 0)
        return new Response('Nothing is known of this host.\n', { status: 404, headers: CORS })
      const { type, render } = as(request)
      return new Response(render(links), { headers: { ...CORS, 'Content-Type': type, Vary: 'Accept' } })
    }
    const byHeader = (request: Request): Format => (prefersJson(request) ? AS_JRD : AS_XRD)
    for (const [path, as] of [
      [PATH, byHeader],
      [`${PATH}.json`, () => AS_JRD]
    ] as const) {
      ctx.add('http-route', { method: 'GET', path, handle: ({ request }) => answer(request, as) })
      ctx.add('http-route', { method: 'OPTIONS', path, handle: preflight })
    }
    ctx.on('server/started', () => complain(ctx))
    ctx.reconfigure(() => true)
  }
})

interface Format {
  type: string
  render(links: readonly Link[]): string
}

const AS_XRD: Format = { type: XRD, render: xrd }
const AS_JRD: Format = { type: JRD, render: jrd }

/** How the accounts of a domain can be reached; nothing for domains that have none here. */
function linksOf(ctx: Context, domain: string | undefined): Link[] {
  if (domain === undefined || ctx.server.host(domain)?.type !== 'virtual') return []
  return ctx.items('connection-method').flatMap(({ rel, href }) => {
    const found = href(domain)
    return found === undefined ? [] : [{ rel, href: found }]
  })
}

function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...CORS,
      'Access-Control-Allow-Methods': 'GET, HEAD',
      'Access-Control-Allow-Headers': 'Accept'
    }
  })
}

function complain(ctx: Context): void {
  const virtual = ctx.server.hosts().filter(({ type }) => type === 'virtual')
  if (virtual.some(({ name }) => linksOf(ctx, name).length > 0)) return
  ctx.log.warn(
    'host-meta has nothing to tell: no module offers connections over TLS. ' +
      "Where a proxy speaks TLS, write its address into the option 'url' of websocket"
  )
}

declare module '#core' {
  interface ItemTypes {
    /** A way for clients to connect beside TCP (XEP-0156), offered on the server's own scope. */
    'connection-method': {
      /** The link relation, as `urn:xmpp:alt-connections:websocket`. */
      rel: string
      /** The address for the accounts of a domain, `https:` or `wss:` (§2.2); undefined where none is known. */
      href(domain: string): string | undefined
    }
  }
}
