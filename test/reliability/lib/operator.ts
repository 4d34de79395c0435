import assert from 'node:assert/strict'
import { childOf, childText } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import { join } from '../../lib/wire'
import type { Player, Reachable } from '../../lib/wire'

const COMMANDS = 'http://jabber.org/protocol/commands'
const RELOAD = 'urn:balcony:admin#module-reload'
const HOST = 'localhost'

/**
 * An operator who reloads modules by command (XEP-0050), from a client. The next dialogue is always opened before
 * this one is submitted, so that every dialogue lives through a reload, that of its own modules too.
 */
export class Operator {
  #dialogue = ''

  private constructor(readonly player: Player) {}

  static async enter(server: Reachable, jid: string): Promise<Operator> {
    const operator = new Operator(await join(server, 'the operator', { jid }))
    operator.#dialogue = await operator.#open()
    return operator
  }

  async #open(): Promise<string> {
    const { status, sessionid } = (await this.#command('', '')).attrs
    assert.equal(status, 'executing')
    return sessionid as string
  }

  /** What it returns submits the form and resolves with the report. */
  async prepare(module: string): Promise<() => Promise<string>> {
    const dialogue = this.#dialogue
    this.#dialogue = await this.#open()
    const form =
      `<x xmlns='jabber:x:data' type='submit'>` +
      `<field var='modules' type='list-multi'><value>${module}</value></field></x>`
    return async () => {
      const answer = await this.#command(` sessionid='${dialogue}'`, form)
      assert.equal(answer.attrs.status, 'completed', `the dialogue about ${module} is completed`)
      return childText(answer, 'note') ?? ''
    }
  }

  async #command(attrs: string, form: string): Promise<Element> {
    const iq = `<iq type='set' to='${HOST}'><command xmlns='${COMMANDS}' node='${RELOAD}'${attrs}>${form}</command></iq>`
    const answer = await this.player.request(iq)
    const command = childOf(answer, 'command', COMMANDS)
    assert.ok(answer.attrs.type === 'result' && command, answer.toString())
    return command
  }
}
