import type { FormField } from '#core'

/** What XML has no place for (RFC 6120 §11.1); the command line takes any text. */
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g

/** A field for what is said to many: `maxLength` in characters. */
export function textField(name: string, label: string, maxLength: number): FormField {
  return { var: name, type: 'text-multi', label, maxLength, check: tidy }
}

/** Without empty lines around it: nothing but space is nothing. */
function tidy(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(CONTROLS, '')
    .replace(/^(?:[^\S\n]*\n)+|\s+$/g, '')
}
