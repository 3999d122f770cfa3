/** A whole word of a name says that its value is secret, unless another says that it is not. */
const secretName = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const harmlessName = /(?:_|^)(?:public|file|version)(?:_|$)/i;

export const isSecretName = (name: string): boolean => secretName.test(name) && !harmlessName.test(name);
