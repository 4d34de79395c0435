import { z } from '#core'

/** A text that administrators have set. */
export const Text = z.object({
  text: z.string(),
  /** The language of whoever wrote it. */
  lang: z.string().optional(),
  /** Who, and when (milliseconds since the epoch). */
  by: z.string(),
  at: z.number().int()
})

export type Text = z.infer<typeof Text>
