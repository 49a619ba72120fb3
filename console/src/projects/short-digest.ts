/** How a deployment is called among people. */
export const shortDigest = (digest: string) => digest.replace(/^sha256:/, '').slice(0, 12);
