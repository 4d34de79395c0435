import { StanzaError, type AdhocCommand, type CommandRun } from '#core'
import { PubsubError } from '../lib_pubsub'
import { asAnswer, PUBSUB, SUBSCRIBE_AUTHORIZATION } from '../lib_pubsub/xml'
import { senderOf, type Sender } from './sender'
import type { Pubsub } from './service'

export const GET_PENDING = `${PUBSUB}#get-pending`

/** Nodes that are offered in the form; others can be named. */
const LISTED = 100

/** XEP-0060 §8.7: the requests for subscription that wait, at a node of one's own, asked about once more. */
export function getPending(pubsub: Pubsub): AdhocCommand {
  return {
    node: GET_PENDING,
    name: 'Get pending subscription requests',
    access: 'any',
    stages: [
      {
        form: async (_, run) => ({
          formType: SUBSCRIBE_AUTHORIZATION,
          title: 'Pending subscription requests',
          fields: [
            {
              var: 'pubsub#node',
              type: 'list-single',
              label: 'The node',
              required: true,
              open: true,
              options: await nodesOf(pubsub, run)
            }
          ]
        })
      }
    ],
    async finish(said, run) {
      const actor = requester(pubsub, run)
      try {
        const { result, notifications } = await pubsub.engine.remind(pubsub.stored, actor, {
          node: String(said['pubsub#node'])
        })
        // §8.7.4: after the answer
        pubsub.ctx.after(0, () => pubsub.outbox.send(notifications))
        const { pending } = result
        const text =
          pending === 1
            ? 'The request is sent to you as a message.'
            : `${pending} requests are sent to you as messages.`
        return { notes: [{ type: 'info', text }] }
      } catch (error) {
        // §8.7.3.3, §8.7.3.4
        if (error instanceof PubsubError && error.error === 'forbidden') throw forbidden()
        throw asAnswer(error)
      }
    }
  }
}

/** §8.7.2: those at which somebody waits and the requester decides. */
async function nodesOf(pubsub: Pubsub, run: CommandRun): Promise<string[]> {
  const { tables, ctx, engine, stored } = pubsub
  const { bare, admin } = requester(pubsub, run)
  const { owner } = engine.definition.roles
  const nodes = await tables.subscriptions.waiting(ctx.db.read, LISTED, admin ? undefined : { bare, owner })
  if (nodes.length > 0 || admin) return nodes
  const { rows } = await stored.affiliationsOf(bare, { limit: 1000 })
  if (!rows.some(row => row.affiliation === owner)) throw forbidden() // §8.7.3.3
  return nodes
}

function forbidden(): StanzaError {
  return new StanzaError('forbidden', { type: 'cancel', text: 'you own no node here' })
}

function requester(pubsub: Pubsub, { event }: CommandRun): Sender {
  // the command line is nobody to whom requests could be sent
  if (event === undefined) throw new StanzaError('forbidden', 'requests are sent to whoever asks, by XMPP')
  return senderOf(pubsub.ctx, event)
}
