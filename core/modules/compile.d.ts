/** TypeScript source to CommonJS, line for line. Throws a SyntaxError that names file, line and column. */
export function compile(source: string, filename: string): string
