/** What an engine of the optimizer brought on problems of one sort so far: how often it was given work, and what that earned (0 to 1 each time). */
export type Experience = { readonly tries: number; readonly reward: number };

/**
 * By sort of problem and engine. It is data: it can be looked at, kept between decisions, and reset by leaving it out. Another release may
 * have stored it, so it may name engines that there are not; they are ignored.
 */
export type Learned = Readonly<Record<string, Readonly<Record<string, Experience>>>>;
