import { defineModule, renderForm, z, type Element } from '#core'
import { addresses } from './address'

/** XEP-0157 §7.1, in its order: each key is a field `KEY-addresses`. */
const ROLES = ['abuse', 'admin', 'feedback', 'sales', 'security', 'status', 'support'] as const

const FORM_TYPE = 'http://jabber.org/network/serverinfo'

const config = z.object({
  abuse: addresses('Where to report abuse.'),
  admin: addresses('Who administers the service.'),
  feedback: addresses('Where to say what is good and what is not.'),
  sales: addresses('Whom to ask about buying.'),
  security: addresses('Where to report a security problem.'),
  status: addresses('Where to see whether the service is up.'),
  support: addresses('Where to find help.')
})

type Config = z.infer<typeof config>

/** Contact addresses of the host in its disco#info (XEP-0157, by XEP-0128). */
export default defineModule({
  name: 'server_info',
  description: 'Contact addresses of the service (XEP-0157)',
  on: ['virtual', 'component'],
  config,
  setup(ctx) {
    let withdraw = offer(ctx.config)
    ctx.reconfigure(changed => {
      withdraw()
      withdraw = offer(changed)
      return true
    })

    function offer(options: Config): () => void {
      const form = formOf(options)
      return form ? ctx.add('disco-form', form) : () => undefined
    }
  }
})

/** The form, undefined where there is no address at all. */
function formOf(options: Config): Element | undefined {
  const named = ROLES.filter(role => options[role].length > 0)
  if (named.length === 0) return undefined
  const fields = named.map(role => ({ var: `${role}-addresses`, type: 'list-multi' as const }))
  const values = Object.fromEntries(named.map(role => [`${role}-addresses`, options[role]]))
  return renderForm({ formType: FORM_TYPE, fields }, values, 'result')
}
