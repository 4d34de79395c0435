import { domainOption, z } from '#core'
import { domainsOption } from '../lib_domains'

export const POLICIES = ['open', 'listed', 'buddies'] as const

export const config = z.object({
  policy: z
    .enum(POLICIES)
    .default('open')
    .describe(
      'Who may exchange stanzas with this host: `open`, any server; `listed`, the domains in `allow`; `buddies`, server buddies (both directions) and the domains in `allow`.'
    ),
  buddiesOf: domainOption()
    .optional()
    .describe(
      'With `buddies`: the host of this server whose buddies count, for a service that goes with it; its own unless given.'
    ),
  allow: domainsOption()
    .default([])
    .describe('Domains for `listed` and `buddies`; `*.example.org` means every domain below example.org.'),
  block: domainsOption()
    .default([])
    .describe('Domains that are refused whatever else is said; `*.example.org` means those below it alone.'),
  requests: z
    .boolean()
    .default(true)
    .describe(
      'With `buddies`: servers that are none may ask to be one. Off, only those may that an administrator here has asked.'
    )
})

export type Config = z.infer<typeof config>

/** What an administrator has set in place of the file, by command. */
export const Override = z.object({
  policy: z.enum(POLICIES),
  allow: z.array(z.string()),
  block: z.array(z.string()),
  requests: z.boolean(),
  /** Who, and when (milliseconds since the epoch). */
  by: z.string(),
  at: z.int()
})

export type Override = z.infer<typeof Override>

/** In a few words. */
export function summary({ policy, allow, block }: Config): string {
  const lists = [allow.length > 0 && `${allow.length} allowed`, block.length > 0 && `${block.length} blocked`]
  return [policy, ...lists.filter(Boolean)].join(', ')
}
