import {
  FormError,
  JID,
  renderForm,
  type AdhocCommand,
  type CommandNote,
  type Context,
  type FormDef,
  type FormValues
} from '#core'
import { ADMIN, done, refused } from '../../lib_admin'
import { departure, type Departure } from '../departures'
import { COMMON } from './common'
import type { CommandsParts } from './index'

/** XEP-0267 §2, byte for byte where the example says it. */
const REQUEST_FORM: FormDef = {
  formType: ADMIN,
  title: 'Subscribing to a Peer Server',
  instructions: 'Fill out this form to subscribe your server to a peer server.',
  fields: [
    { var: 'peerjid', type: 'jid-single', label: 'The domain name of the peer server', required: true }
  ]
}

/** What is not registered for this FORM_TYPE begins with `x-` (XEP-0068 §3.2). */
const RESULT_FORM: FormDef = {
  formType: ADMIN,
  title: 'Subscribing to a Peer Server',
  fields: [
    { var: 'peerjid', type: 'jid-single', label: 'The domain name of the peer server' },
    { var: 'x-result', label: 'What became of the request' },
    { var: 'x-reason', label: 'Why' }
  ]
}

/** XEP-0267 §2. */
export function requestCommand({ ctx, buddies }: CommandsParts): AdhocCommand {
  return {
    ...COMMON,
    node: `${ADMIN}#server-buddy`,
    name: 'Subscribe to a Peer Server',
    stages: [{ form: () => REQUEST_FORM, check: said => void peerOf(ctx, said) }],
    async finish(said, run) {
      const domain = peerOf(ctx, said)
      const act = { ctx, run, command: 'server-buddy' }
      try {
        await buddies.ask(domain, run.actor)
      } catch (error) {
        refused(act, domain, error)
        throw error
      }
      // What was asked for is done and written: what follows is watching
      run.event?.leave()
      const gone = await departure(ctx, buddies, domain)
      done(act, domain, describe(gone))
      const { result, reason } = gone
      return {
        notes: [noteOf(domain, gone)],
        form: renderForm(RESULT_FORM, { peerjid: domain, 'x-result': result, 'x-reason': reason }, 'result')
      }
    }
  }
}

function describe({ result, reason }: Departure): string {
  return reason === undefined ? result : `${result}: ${reason}`
}

function noteOf(domain: string, gone: Departure): CommandNote {
  switch (gone.result) {
    case 'approved':
      return { type: 'info', text: `${domain} has approved.` }
    case 'sent':
      return { type: 'info', text: `The request has left; ${domain} has not answered yet.` }
    case 'waiting':
      return {
        type: 'warn',
        text: `The request has not left yet: there is no connection with ${domain} so far${gone.reason === undefined ? '' : ` (${gone.reason})`}. The list of buddies shows what becomes of it.`
      }
    case 'refused':
      return { type: 'warn', text: `${domain} has refused.` }
    case 'bounced':
      return {
        type: 'warn',
        text: `The request did not get through: ${gone.reason}. It stays in the list of buddies and is not sent again by itself; run this command again when that is mended.`
      }
  }
}

/** The domain in the form. Throws a FormError that names the field. */
function peerOf(ctx: Context, said: FormValues): string {
  const jid = JID.tryParse((said.peerjid as string | undefined) ?? '')
  if (jid?.kind !== 'host') throw new FormError('the domain of a server is expected', 'peerjid')
  if (jid.full === ctx.host.name) throw new FormError('a server is no buddy of its own', 'peerjid')
  return jid.full
}
