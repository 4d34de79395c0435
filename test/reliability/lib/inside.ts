import path from 'node:path'
import { askServer } from '../../../core/cli/control-client'
import { controlSocket } from '../../../core/cli/place'
import type { ReloadReport } from '../../../core/modules/server-api'
import type { SpawnedServer } from '../../lib/spawn'
import type { Held, Question, Seen } from './probe'

const REGISTER = path.resolve(__dirname, '../../../bin/register.js')

/** What a server must be started with so that it can be looked into. */
export const PROBED = ['--expose-gc', '--require', REGISTER, '--require', path.join(__dirname, 'probe.ts')]

/** Asks a server in another process: over its control socket, as the command line does, and over its probe. */
export class Inside {
  #ids = 0

  constructor(readonly server: SpawnedServer) {}

  /** `balcony module reload`, without the start of a process for each. */
  reload(name: string): Promise<ReloadReport> {
    return this.#control('module.reload', { name }) as Promise<ReloadReport>
  }

  async addUser(jid: string, password: string): Promise<void> {
    await this.#control('user.add', { jid, password })
  }

  /** Bytes of the heap that are in use, after everything that can go has gone. */
  heap(): Promise<number> {
    return this.#probe('heap') as Promise<number>
  }

  /** Which edition of each file was run last. */
  seen(): Promise<Seen> {
    return this.#probe('seen') as Promise<Seen>
  }

  /** How many editions of each file are not garbage. */
  held(): Promise<Held> {
    return this.#probe('held') as Promise<Held>
  }

  async #control(op: string, params: object): Promise<unknown> {
    const socket = controlSocket(path.join(this.server.folder, 'data'))
    // A server that listens already opens its control socket in a moment
    const until = Date.now() + 10_000
    for (;;) {
      const answer = await askServer(socket, op, params, () => undefined)
      if (answer) return answer.result
      if (Date.now() > until) throw new Error('the server has no control socket')
      await new Promise(setImmediate)
    }
  }

  #probe(ask: Question['ask']): Promise<unknown> {
    const { process } = this.server
    const id = ++this.#ids
    return new Promise((resolve, reject) => {
      const ended = (): void => finish(() => reject(new Error('the server has ended')))
      const heard = (answer: { id: number; value: unknown }): void => {
        if (answer.id === id) finish(() => resolve(answer.value))
      }
      const finish = (how: () => void): void => {
        process.off('exit', ended)
        process.off('message', heard)
        how()
      }
      process.on('exit', ended)
      process.on('message', heard)
      process.send({ id, ask } satisfies Question)
    })
  }
}
