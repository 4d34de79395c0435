import { CollapsedLog, defineModule, el, z, type Element, type StanzaEvent } from '#core'
import { HourlyLimit, type Counts } from './limiter'
import { change, describe, type Leaving } from './members'
import { REGISTER } from './namespace'
import { answerNewcomer, mayRegister, shareOf, type Limits } from './newcomers'

/** Names that others would take for an office of the host (RFC 2142). */
const OFFICES = [
  'abuse',
  'admin',
  'administrator',
  'hostmaster',
  'info',
  'noc',
  'postmaster',
  'root',
  'security',
  'support',
  'webmaster',
  'xmpp'
] as const

const config = z.object({
  newAccounts: z.boolean().default(true).describe('Anybody who reaches the server may make an account.'),
  passwordChange: z.boolean().default(true).describe('Users may change their password.'),
  removal: z.boolean().default(true).describe('Users may remove their account, with all that is theirs.'),
  requireTls: z
    .boolean()
    .default(true)
    .describe('Passwords are taken inside TLS only; false is for closed networks and TLS proxies.'),
  instructions: z
    .string()
    .default('Choose a user name and a password for this server.')
    .describe('What somebody who registers is told.'),
  minNameLength: z
    .number()
    .int()
    .min(1)
    .default(1)
    .describe('Characters in the name of a new account, at least.'),
  maxNameLength: z
    .number()
    .int()
    .min(1)
    .max(1023)
    .default(64)
    .describe('Characters in the name of a new account, at most.'),
  reservedNames: z
    .array(z.string())
    .default(() => [...OFFICES])
    .describe('Names that nobody can register; those of administrators never can be.'),
  minPasswordLength: z
    .number()
    .int()
    .min(1)
    .max(1024)
    .default(8)
    .describe('Characters in a password, at least.'),
  attemptsPerAddress: z
    .number()
    .int()
    .min(1)
    .default(30)
    .describe('Requests within an hour from one IPv4 address or IPv6 /64 network, failed ones too, at most.'),
  accountsPerAddress: z
    .number()
    .int()
    .min(1)
    .default(5)
    .describe('New accounts within an hour from one IPv4 address or IPv6 /64 network, at most.'),
  accountsPerHour: z
    .number()
    .int()
    .min(1)
    .default(200)
    .describe(
      'New accounts on the host within an hour, at most; one address or IPv6 /48 network can make a quarter of them.'
    )
})

export type RegisterConfig = z.infer<typeof config>

/** XEP-0077: accounts made, and changed, by their owners. */
export default defineModule({
  name: 'register',
  description: 'In-band registration (XEP-0077)',
  on: ['virtual'],
  config,
  setup(ctx, saved) {
    const counts = saved as Partial<Record<keyof Limits, Counts>> | undefined
    const limits: Limits = {
      attempts: new HourlyLimit(() => ctx.config.attemptsPerAddress, counts?.attempts),
      accounts: new HourlyLimit(() => ctx.config.accountsPerAddress, counts?.accounts),
      shares: new HourlyLimit(() => shareOf(ctx.config), counts?.shares),
      host: new HourlyLimit(() => ctx.config.accountsPerHour, counts?.host),
      refusals: new CollapsedLog(ctx.log)
    }
    ctx.defer(() => limits.refusals.flush())
    ctx.save(() => ({
      attempts: limits.attempts.counts,
      accounts: limits.accounts.counts,
      shares: limits.shares.counts,
      host: limits.host.counts
    }))
    ctx.reconfigure(() => true)

    ctx.add('disco-feature', REGISTER) // XEP-0077 §10
    ctx.add('stream-feature', {
      stage: 'sasl',
      offer: session =>
        mayRegister(ctx, session) ? el('register', 'http://jabber.org/features/iq-register') : undefined
    })
    ctx.add('preauth-iq', {
      ns: REGISTER,
      name: 'query',
      handle: (session, iq) => answerNewcomer(ctx, limits, session, iq)
    })

    const leaving: Leaving = new Map()
    // First the database, then the answer, then the end of the streams, which comes when the write has resolved
    ctx.hook('account/removed', ({ user, tx }) => {
      const event = leaving.get(user)
      if (event) tx.afterCommit(() => event.reply())
    })
    // Clients ask the host, or nobody, which means their account (XEP-0077 §3.2)
    const get = (event: StanzaEvent): Element => describe(ctx, event)
    const set = (event: StanzaEvent, query: Element): Promise<void> =>
      change(ctx, limits, leaving, event, query)
    ctx.iq('get', 'host', REGISTER, 'query', get)
    ctx.iq('get', 'bare', REGISTER, 'query', get)
    ctx.iq('set', 'host', REGISTER, 'query', set)
    ctx.iq('set', 'bare', REGISTER, 'query', set)
  }
})
