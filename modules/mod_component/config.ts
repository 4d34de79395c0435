import { listenOption, z } from '#core'

/** Seconds; 0 means never. */
const seconds = () => z.int().min(0).max(86_400)

export const config = z.object({
  secret: z
    .string()
    .min(1)
    .meta({ secret: true })
    .describe('What the component shows that it knows; best from the environment.'),
  listen: z
    .array(listenOption())
    .min(1)
    .default([{ address: '127.0.0.1', port: 5347 }])
    .describe(
      'Addresses where the component may connect; hosts may share them. What is said there is not encrypted.'
    ),
  queue: z
    .object({
      seconds: seconds()
        .default(0)
        .describe('How long stanzas wait for a component that is away; 0: they are answered with errors.'),
      stanzas: z.int().min(1).max(100_000).default(1000).describe('Stanzas that wait, at most.'),
      bytes: z.int().min(65_536).max(268_435_456).default(1_048_576).describe('What they take, at most.')
    })
    .prefault({})
    .describe('What waits for a component that is away.'),
  keepaliveSeconds: seconds()
    .default(300)
    .describe('White space is sent where nothing else was for so long; 0: never.'),
  silenceSeconds: seconds()
    .default(0)
    .describe('A component that sent nothing for so long is asked whether it is there; 0: never.'),
  answerSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('How long it may take to answer that, also when another one wants its place.')
})

export type Config = z.infer<typeof config>
