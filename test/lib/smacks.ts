import type { TestServer } from './server'
import { TestClient } from './client'
import type { ConnectOptions } from './client'
import { PASSWORD, type Player } from './wire'

export const SM = 'urn:xmpp:sm:3'

/** A host as clients expect of an IM server, with stream management. */
export function managedHost(smacks: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const modules = { saslauth: {}, roster: {}, presence: {}, message: {}, offline: {}, smacks, ...more }
  return { hosts: { localhost: { modules } } }
}

/** Enables stream management with resumption and returns the identifier of the session. */
export async function enable(client: TestClient, attrs = "resume='true'"): Promise<string> {
  client.write(`<enable xmlns='${SM}' ${attrs}/>`)
  const enabled = await client.finds(`<enabled xmlns='${SM}'/>`)
  return String(enabled.attrs.id)
}

/** Another connection of that user, authenticated and not bound. */
export async function reconnect(
  server: TestServer,
  user: string,
  transport: NonNullable<ConnectOptions['transport']> = 'tcp',
  password = PASSWORD
): Promise<TestClient> {
  const port = server.ports[transport]
  if (port === undefined) throw new Error(`the server does not listen for ${transport}`)
  const name = `${user} again`
  const client = await TestClient.connect({ port, domain: 'localhost', transport, name })
  await client.open()
  await client.authenticate({ user, password })
  return client
}

/** Takes up a session. Returns the server's count of what it handled. */
export async function resume(client: TestClient, previd: string, h: number): Promise<number> {
  client.write(`<resume xmlns='${SM}' previd='${previd}' h='${h}'/>`)
  const resumed = await client.receives(`<resumed xmlns='${SM}' previd='${previd}'/>`)
  return Number(resumed.attrs.h)
}

/** What `<failed/>` says: the condition, and `h` where there is one. */
export async function refused(
  client: TestClient,
  element: string
): Promise<{ condition: string; h?: number }> {
  client.write(element)
  const failed = await client.receives(`<failed xmlns='${SM}'/>`)
  const condition = failed.children.find(child => typeof child !== 'string')
  const { h } = failed.attrs as { h?: string }
  return {
    condition: typeof condition === 'object' ? condition.name : '',
    ...(h === undefined ? {} : { h: Number(h) })
  }
}

/** Drops the connection and waits until the server knows that the session has none. */
export async function cut(server: TestServer, player: Player | TestClient): Promise<void> {
  const before = server.server.clients.managed.hibernating().length
  player.destroy()
  await eventually(() => server.server.clients.managed.hibernating().length > before)
}

/** Waits for something that nobody tells; so many milliseconds at most. */
export async function eventually(
  done: () => boolean | undefined,
  what = 'it',
  within = 15_000
): Promise<void> {
  const end = Date.now() + within
  while (!done()) {
    if (Date.now() > end) throw new Error(`${what} did not come about within ${within / 1000} s`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
