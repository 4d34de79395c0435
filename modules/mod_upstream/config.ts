import { domainOption, portOption, z } from '#core'

/** Seconds; 0 means never. */
const seconds = () => z.int().min(0).max(86_400)

export const config = z.object({
  server: z
    .string()
    .min(1)
    .max(253)
    .default('127.0.0.1')
    .describe('Name or address of the server that this host is a component of.'),
  port: portOption().min(1).default(5347).describe('Its port for external components.'),
  secret: z
    .string()
    .min(1)
    .meta({ secret: true })
    .describe('The secret that the server knows this component by; best from the environment.'),
  domains: z
    .array(domainOption())
    .default([])
    .describe(
      'Further domains that this host serves (topics.example.org): each is attached by a connection of its own, with the same secret.'
    ),
  queue: z
    .object({
      seconds: seconds()
        .default(60)
        .describe('How long stanzas wait while there is no connection; then they are answered with errors.'),
      stanzas: z
        .int()
        .min(1)
        .max(100_000)
        .default(1000)
        .describe('Stanzas that wait for one domain, at most.'),
      bytes: z.int().min(65_536).max(268_435_456).default(1_048_576).describe('What they take, at most.')
    })
    .prefault({})
    .describe('What waits while there is no connection.'),
  retrySeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .describe('Between two attempts to connect, at most; they begin with half a second to one.'),
  keepaliveSeconds: seconds()
    .default(60)
    .describe('White space is sent where nothing else was for so long; 0: never.'),
  silenceSeconds: seconds()
    .default(300)
    .describe('A server that sent nothing for so long is asked whether it is there; 0: never.'),
  answerSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .describe('How long it may take to answer that; then the connection is made anew.')
})

export type Config = z.infer<typeof config>
