import { TestClient } from './client'
import type { ConnectOptions } from './client'
import type { Vars } from './pattern'

/** Where a server listens; what `startTestServer` and `spawnTestServer` return has it. */
export interface Reachable {
  /** The ports by transport, as far as the server has them. */
  ports: Partial<Record<'tcp' | 'tls' | 'ws' | 'wss', number>>
  /** Its address; 127.0.0.1 unless given. */
  host?: string
  /** Makes an account unless it is there. */
  addUser(jid: string, password: string): Promise<void>
}

/** Who takes part: a JID (`juliet@localhost`, with a resource or without), or more about them. */
export type Part = string | PartOptions

export interface PartOptions {
  jid: string
  password?: string
  mechanism?: string
  /** `tcp` unless given. */
  transport?: ConnectOptions['transport']
  /** Sends initial presence and waits for its reflection; off unless given. */
  presence?: boolean
  tls?: ConnectOptions['tls']
}

export interface ScenarioOptions {
  /** Further hosts of the server whose work `receivesNothing` waits for. */
  hosts?: readonly string[]
}

/** A client of a scenario: knows the others, so that silence can be told from slowness. */
export class Player extends TestClient {
  /** Everybody in the scenario, this one included. */
  others: readonly Player[] = []
  hosts: readonly string[] = []

  /**
   * Nothing must be unread after the server has dealt with all that the clients of this scenario have sent. No
   * clock is asked: every client sends a request behind its stanzas and waits for the answer, this one last.
   */
  override async receivesNothing(): Promise<void> {
    for (const other of this.others) if (other !== this && !other.closed) await other.#settled()
    await this.#settled()
    await super.receivesNothing()
  }

  async #settled(): Promise<void> {
    await this.fence()
    for (const host of this.hosts) await this.fence(host)
  }
}

/** The password of everybody who is given none. */
export const PASSWORD = 'a password for tests'

/**
 * A scripted conversation: makes the accounts, logs everybody in, hands them to the script by the names they were
 * given, and drops all connections at the end.
 *
 *   await scenario(server, { juliet: 'juliet@localhost/balcony', romeo: 'romeo@localhost' }, async ({ juliet, romeo }) => {
 *     await juliet.sends(`<message to='romeo@localhost' type='chat'><body>Art thou not Romeo?</body></message>`)
 *     await romeo.receives(`<message from='juliet@localhost/balcony'><body>Art thou not Romeo?</body></message>`)
 *     await juliet.receivesNothing()
 *   })
 *
 * `{juliet}` in a stanza or pattern is juliet's full JID; whatever else a pattern remembers is there for all.
 */
export async function scenario<Names extends string>(
  server: Reachable,
  cast: Readonly<Record<Names, Part>>,
  script: (players: Record<Names, Player>) => Promise<void>,
  options: ScenarioOptions = {}
): Promise<void> {
  const vars: Vars = new Map()
  const players = new Map<string, Player>()
  try {
    for (const [name, part] of Object.entries<Part>(cast)) {
      const player = await join(server, name, typeof part === 'string' ? { jid: part } : part, vars)
      players.set(name, player)
      vars.set(name, player.jid)
    }
    const all = [...players.values()]
    for (const player of all) {
      player.others = all
      player.hosts = options.hosts ?? []
    }
    await script(Object.fromEntries(players) as Record<Names, Player>)
  } finally {
    for (const player of players.values()) player.destroy()
  }
}

/** Connects and logs in one client, making the account first. */
export async function join(
  server: Reachable,
  name: string,
  part: PartOptions,
  vars: Vars = new Map()
): Promise<Player> {
  const { user, domain, resource } = splitJid(part.jid)
  const { password = PASSWORD, mechanism, transport = 'tcp', tls, presence = false } = part
  await server.addUser(`${user}@${domain}`, password)
  const port = server.ports[transport]
  if (port === undefined) throw new Error(`the server does not listen for ${transport}`)
  const where = { port, domain, transport, ...(server.host === undefined ? {} : { host: server.host }) }
  const player = await new Player({ ...where, name, vars, ...(tls ? { tls } : {}) }).connect()
  try {
    await player.login({
      user,
      password,
      ...(mechanism === undefined ? {} : { mechanism }),
      ...(resource === undefined ? {} : { resource })
    })
    if (presence) {
      await player.sends('<presence/>')
      await player.finds(`<presence from='${player.jid}' type='!'/>`)
    }
    return player
  } catch (error) {
    player.destroy()
    throw error
  }
}

function splitJid(jid: string): { user: string; domain: string; resource: string | undefined } {
  const found = /^([^@/]+)@([^/]+)(?:\/(.+))?$/s.exec(jid)
  if (!found) throw new Error(`'${jid}' is no JID of an account`)
  const [, user = '', domain = '', resource] = found
  return { user, domain, resource }
}
