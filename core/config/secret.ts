/** Whether what stands under such a name is a secret, whatever its schema says. */
export function isSecretName(name: string): boolean {
  return /pass(word|phrase)?|secret|token|credential|private/i.test(name)
}
