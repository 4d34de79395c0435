import { listenOption, z } from '#core'

/** Seconds; 0 means never. */
const seconds = () => z.int().min(0).max(86_400)

export const config = z.object({
  listen: z
    .array(listenOption())
    .default([{ address: '127.0.0.1', port: 5222 }])
    .describe('Addresses where streams begin in plain text; TLS follows by STARTTLS.'),
  directTls: z
    .array(listenOption())
    .default([{ address: '127.0.0.1', port: 5223 }])
    .describe('Addresses where connections begin with TLS (XEP-0368).'),
  tls: z
    .enum(['required', 'optional', 'off'])
    .default('required')
    .describe(
      'Whether clients must use STARTTLS, may, or cannot; anything but required is for closed networks.'
    ),
  maxResources: z.int().min(1).max(1000).default(20).describe('Connected resources of one account, at most.'),
  conflict: z
    .enum(['replace', 'refuse', 'rename'])
    .default('replace')
    .describe(
      'For a resource that is taken: end the older session, refuse the new one, or bind another name.'
    ),
  authRetries: z
    .int()
    .min(2)
    .max(5)
    .default(5)
    .describe('Failed logins on one connection that are answered; the next ends it.'),
  keepaliveSeconds: seconds()
    .default(300)
    .describe('White space is sent where nothing else was for so long; 0: never.'),
  silenceSeconds: seconds()
    .default(0)
    .describe('A client that sent nothing for so long is asked whether it is there; 0: never.'),
  answerSeconds: z.int().min(5).max(3600).default(60).describe('How long it may take to answer that.')
})

export type Config = z.infer<typeof config>
