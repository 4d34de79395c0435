import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

const DIST = path.join(path.dirname(require.resolve('converse.js/package.json')), 'dist')
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2'
}

/** A site with converse.js, as whoever runs a server would put it up: its own files, and one page. */
export class ConverseSite {
  readonly #server = http.createServer((request, response) => this.#answer(request.url ?? '/', response))

  /** `webSocket` is the port where Balcony has it. */
  constructor(private readonly webSocket: number) {}

  /** Resolves with the address of the page. */
  async start(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  #answer(url: string, response: http.ServerResponse): void {
    const { pathname } = new URL(url, 'http://localhost')
    if (pathname === '/') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end(this.#page())
      return
    }
    const file = path.join(DIST, pathname.replace(/^\/dist\//, '/'))
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) {
      response.statusCode = 404
      response.end()
      return
    }
    response.setHeader('Content-Type', TYPES[path.extname(file)] ?? 'application/octet-stream')
    fs.createReadStream(file).pipe(response)
  }

  #page(): string {
    const settings = {
      assets_path: '/dist/',
      play_sounds: false,
      websocket_url: `ws://127.0.0.1:${this.webSocket}/xmpp-websocket`,
      discover_connection_methods: false,
      allow_registration: false,
      view_mode: 'fullscreen',
      i18n: 'en'
    }
    return `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>converse.js</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/dist/converse.min.css">
  <body class="converse-fullscreen">
    <script src="/dist/converse.min.js"></script>
    <script>converse.initialize(${JSON.stringify(settings)})</script>
  </body>
</html>`
  }
}
