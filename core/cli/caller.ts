import os from 'node:os'

/**
 * Who runs this command, for the log and the audit: the user of the system, or whoever used sudo to be that user (as
 * operators do, who run everything as `balcony`).
 */
export function caller(env: NodeJS.ProcessEnv = process.env): string {
  const name = env.SUDO_USER || env.DOAS_USER || systemUser()
  return name.replace(/[\p{C}\p{Z}]/gu, '_').slice(0, 100)
}

function systemUser(): string {
  try {
    return os.userInfo().username || 'unknown'
  } catch {
    // In a container there may be no name for the number
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
