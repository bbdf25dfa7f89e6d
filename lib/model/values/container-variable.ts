/**
 * Returns why a container cannot have this variable; undefined if it can. Docker reads a container's variables from a file in which a line
 * break ends a variable.
 */
export const whyNoContainerVariable = (name: string, value: string): string | undefined =>
  /[\n\r\0]/.test(value) ? `the variable ${name} contains a line break, which containers do not support` : undefined;
