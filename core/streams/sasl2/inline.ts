import { el, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import type { Negotiable } from '../negotiable'
import { bind } from './bind2'
import type { InlineRequest } from './request'

/** What `<success/>` says beside who the client is. */
interface Results {
  /** Additional data of the mechanism. */
  data: Buffer | undefined
  /** What came of an attempt to resume. */
  resumption?: Element
  bound?: Element
}

/**
 * What a client that is authenticated asked for together with that, up to `<success/>` and what follows it: an earlier
 * stream is taken up, or else a resource bound, or neither (XEP-0388 §2.6.1, XEP-0386 §3.2).
 */
export function negotiateInline(
  stream: Negotiable,
  data: Buffer | undefined,
  { userAgent, resume, bind: wanted }: InlineRequest
): void {
  if (userAgent) stream.state.userAgent = userAgent
  if (!resume) return bindOrNot({ data })
  stream.resumeSession(resume, (resumption, handOver, jid) => {
    if (!handOver) return bindOrNot({ data, resumption })
    // XEP-0198 §9.2: `<bind/>` is ignored then, and no features follow
    stream.answer(successFor(jid?.full ?? '', { data, resumption }))
    handOver()
  })

  function bindOrNot(results: Results): void {
    if (wanted && stream.host?.items.list('sasl2')[0]?.bind) return bindThen(results, wanted)
    authenticated(results)
  }

  function bindThen(results: Results, request: Element): void {
    bind(stream, request, {
      bound: (jid, bound) => {
        stream.answer(successFor(jid.full, { ...results, bound }))
        stream.offerFeatures()
      },
      // Neither XEP has an error for this: the client is told that nothing is bound, and may ask by RFC 6120 §7.
      refused: () => authenticated(results)
    })
  }

  function authenticated(results: Results): void {
    stream.answer(successFor(`${stream.user}@${stream.domain}`, results))
    stream.offerFeatures()
  }
}

function successFor(jid: string, { data, resumption, bound }: Results): Element {
  return el(
    'success',
    NS.SASL2,
    data && el('additional-data', null, data.toString('base64')),
    el('authorization-identifier', null, jid),
    resumption,
    bound
  )
}
