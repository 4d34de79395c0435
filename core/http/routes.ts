import type { IncomingMessage } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { Hono, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Items } from '../events/items'
import type { Log } from '../log'
import type { HttpRoute } from './items'

/** Bytes of a request's body. */
const MAX_BODY = 1024 * 1024

type Env = { Bindings: HttpBindings }

/** The routes that modules offer now, as one hono application; made anew when they change. */
export class Routes {
  readonly #items: Items
  readonly #log: Log
  readonly #addressOf: (request: IncomingMessage) => string
  #app: Hono<Env> | undefined

  constructor(items: Items, log: Log, addressOf: (request: IncomingMessage) => string) {
    this.#addressOf = addressOf
    this.#items = items
    this.#log = log
    const changed = (): void => void (this.#app = undefined)
    items.watch('http-route', { added: changed, removed: changed })
  }

  /** For Node's HTTP server. */
  listener(): ReturnType<typeof getRequestListener> {
    const fetch = (request: Request, env: unknown): Response | Promise<Response> => {
      this.#app ??= this.#build()
      return this.#app.fetch(request, env as HttpBindings)
    }
    return getRequestListener(fetch, { overrideGlobalObjects: false })
  }

  #build(): Hono<Env> {
    const app = new Hono<Env>()
    app.use(boundedBody)
    for (const route of this.#items.list('http-route')) this.#add(app, route)
    app.notFound(c => c.text('There is nothing here.\n', 404))
    app.onError((error, c) => {
      // hono's own refusals
      if (error instanceof HTTPException) return error.getResponse()
      this.#log.error({ err: error, path: c.req.path }, 'a page failed')
      return c.text('This server made a mistake.\n', 500)
    })
    return app
  }

  #add(app: Hono<Env>, route: HttpRoute): void {
    app.on(route.method, route.path, c => {
      const { socket } = c.env.incoming
      return route.handle({
        request: c.req.raw,
        params: c.req.param(),
        remoteAddress: this.#addressOf(c.env.incoming),
        secure: 'encrypted' in socket
      })
    })
  }
}

/** hono's own limit makes a second request of one without a length, which its Node server does not allow. */
const boundedBody: MiddlewareHandler<Env> = async (c, next) => {
  // RFC 9112 §6.3: without either there is no body
  if (c.req.header('transfer-encoding') !== undefined) return c.text('The length must be told.\n', 411)
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY) return c.text('That is too much.\n', 413)
  return next()
}
