/**
 * What the test files share: starts it and resolves with the environment that tells them about it, and with what
 * ends it.
 */
export async function startServices() {
  return { env: {}, stop: async () => {} }
}
