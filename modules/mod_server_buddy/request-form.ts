import { el, renderForm, type Element, type FormDef, type FormField } from '#core'
import { date, OWN } from '../lib_admin'
import type { Buddy } from './buddy'
import { shown } from './names'

/** FORM_TYPE of the form that administrators get in a message. */
export const REQUEST = `${OWN}#server-buddy-request`

/** The same in the command and in the message. */
export const DECISION: readonly FormField[] = [
  {
    var: 'decision',
    type: 'list-single',
    label: 'Decision',
    required: true,
    options: [
      { value: 'approve', label: 'Approve' },
      { value: 'refuse', label: 'Refuse' }
    ]
  },
  { var: 'note', type: 'text-single', label: 'Note', maxLength: 1000 }
]

export const REQUEST_FORM: FormDef = {
  formType: REQUEST,
  title: 'Buddy request',
  fields: [
    { var: 'peerjid', type: 'hidden', required: true },
    // Which request of that server: there may be another one when the form comes back
    { var: 'received', type: 'hidden', required: true, datatype: 'xs:integer' },
    ...DECISION
  ]
}

/** What stands in the message about a request. */
export function requestMessage(host: string, domain: string, buddy: Buddy): Element[] {
  const what = `The server ${shown(domain)} asks to be a buddy of ${host}.`
  const body =
    `${what} It asked at ${date(buddy.receivedAt)}. ` +
    `Approve or refuse it with the form in this message, or with the command "Pending buddy requests" of ${host}.`
  const form = renderForm(
    { ...REQUEST_FORM, instructions: `${what} Shall the two trust each other?` },
    { peerjid: domain, received: String(buddy.receivedAt ?? 0) }
  )
  return [el('subject', null, 'Buddy request'), el('body', null, body), form]
}
