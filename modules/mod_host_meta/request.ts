import { JID } from '#core'

/** The domain that a request is for, prepared; undefined where its `Host` is none. */
export function domainOf(request: Request): string | undefined {
  const host = request.headers.get('host')?.replace(/:\d*$/, '')
  const jid = host ? JID.tryParse(host) : undefined
  return jid?.kind === 'host' ? jid.domain : undefined
}
