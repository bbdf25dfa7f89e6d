/** The programs that can install the emulators. They read different variables. */
export type Installer = "pip" | "uv";

const variables: Readonly<Record<Installer, { readonly index: string; readonly certificate: string }>> = {
  pip: { index: "PIP_INDEX_URL", certificate: "PIP_CERT" },
  uv: { index: "UV_DEFAULT_INDEX", certificate: "SSL_CERT_FILE" },
};

const certificate = /CERTIFICATE_VERIFY_FAILED|SSLError|invalid peer certificate|certificate verify failed/i;
const unreachable =
  /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|Name or service not known|name resolution|Connection refused|Network is unreachable|dns error|error sending request|client error \(Connect\)|\(from versions: none\)/i;
const unsuitable = /No matching distribution found for (\S+)|no wheels? with a matching/i;
const full = /No space left on device|Disk quota exceeded/i;

/** Returns why the emulators could not be installed, and what to do. `output` is the installer's output. */
export function whyNotInstalled(output: string, installer: Installer): string {
  const { index, certificate: trusted } = variables[installer];
  const once = "It is needed only once: later, the local cloud starts without a network.";
  if (full.test(output)) return "the disk is full";
  if (certificate.test(output))
    return `the package index's certificate is not trusted. ${once} If a proxy replaces the certificate, set ${trusted} to the proxy's, and start again.`;
  if (unreachable.test(output))
    return `the Python package index cannot be reached. ${once} Start again with a network. Behind a proxy, set HTTPS_PROXY, or set ${index} to an index that you can reach.`;
  const [, name] = unsuitable.exec(output) ?? [];
  if (unsuitable.test(output))
    return `the package index has no build${name === undefined ? "" : ` of ${name}`} for this Python and machine. Install a Python from 3.10 to 3.13, or set ${index} to a complete index.`;
  return `${installer} reports:\n${output.trim().slice(-2000) || "nothing"}`;
}
