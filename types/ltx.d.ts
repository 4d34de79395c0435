/** What is used of ltx 3, which has no types of its own. */
declare module 'ltx' {
  import type { EventEmitter } from 'node:events'

  export class Element {
    name: string
    parent: Element | null
    children: (Element | string)[]
    attrs: Record<string, string>

    constructor(name: string, attrs?: Record<string, string> | string)

    is(name: string, xmlns?: string): boolean
    getName(): string
    getNS(): string | undefined
    getAttr(name: string, xmlns?: string): string | undefined
    getChild(name: string, xmlns?: string): Element | undefined
    getChildren(name: string, xmlns?: string): Element[]
    getChildElements(): Element[]
    getChildText(name: string, xmlns?: string): string | null
    getText(): string
    root(): Element
    up(): Element
    c(name: string, attrs?: Record<string, string> | string): Element
    cnode(child: Element): Element
    t(text: string): this
    attr(name: string, value?: string): string | undefined
    write(writer: (xml: string) => void): void
    toString(): string
  }

  export class Parser extends EventEmitter {
    write(data: string | Uint8Array): void
    end(data?: string | Uint8Array): void
  }

  export function parse(xml: string): Element
}
