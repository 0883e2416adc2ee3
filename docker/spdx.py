"""The image's bill of materials: SPDX 2.3 as JSON, made from what dpkg knows of each package.

Licences are said as Debian's copyright files name them, in a comment: turning those into SPDX
expressions is a judgement that nobody made. Packages that end up inside the program, as headers or
static libraries, are part of it as well, by the versions installed in the stage that compiles."""

import hashlib
import json
import os
import re
import subprocess
import time

# Compiled into the program.
STATIC_PACKAGES = ("libboost-dev", "libcli11-dev", "libvalijson-dev", "nlohmann-json3-dev")
NAMESPACE = "https://spdx.org/spdxdocs/pytoon-"


def stanza(package):
    return subprocess.run(["dpkg-query", "--status", package], capture_output=True, text=True,
                          check=True).stdout


def fields(package):
    """The fields of a package's stanza that fit on a line."""
    return dict(re.findall(r"^([A-Z][\w-]*): (.*)$", stanza(package), re.M))


def licences(package):
    """The short names of a machine-readable copyright file, as they stand there."""
    path = f"/usr/share/doc/{package}/copyright"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            told = file.read()
    except OSError:
        return f"see {path}"
    names = sorted(set(re.findall(r"^License: *(\S[^\n]*)$", told, re.M)))
    return f"{path} names: {'; '.join(names)}" if names else f"see {path}"


def identifier(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def of_debian(package):
    told = fields(package)
    source, _, version = told.get("Source", package).partition(" ")
    version = version.strip("()") or told["Version"]
    return {
        "SPDXID": identifier(package),
        "name": package,
        "versionInfo": told["Version"],
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "homepage": told.get("Homepage", "NOASSERTION"),
        "sourceInfo": f"built from the source package {source} {version}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "licenseComments": licences(package),
        "copyrightText": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{package.replace('+', '%2B')}"
                                f"@{told['Version'].replace('+', '%2B').replace(':', '%3A')}"
                                f"?arch={told['Architecture']}&distro=debian-12",
        }],
    }


def simple(name, version, licence):
    return {"SPDXID": identifier(name), "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "copyrightText": "NOASSERTION"}


def version_of(*command):
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.search(r"\d+\.\d+(\.\d+)?", told).group(0)


def document(packages, cuda):
    pytoon = simple("pytoon", version_of("pytoon", "version"), "Apache-2.0")
    static = [of_debian(p) for p in STATIC_PACKAGES]
    if cuda:
        nvcc = os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin/nvcc")
        static.append(simple("libcudart-static", version_of(nvcc, "--version"),
                             "LicenseRef-NVIDIA-CUDA-EULA"))
    dynamic = [of_debian(p) for p in packages]
    everything = [pytoon, *static, *dynamic]
    digest = hashlib.sha256(json.dumps(everything).encode()).hexdigest()
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", pytoon["SPDXID"])]
    relations += [(pytoon["SPDXID"], "STATIC_LINK", p["SPDXID"]) for p in static]
    relations += [(pytoon["SPDXID"], "DEPENDS_ON", p["SPDXID"]) for p in dynamic]
    return json.dumps({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"pytoon-{pytoon['versionInfo']}",
        "documentNamespace": NAMESPACE + digest,
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)),
            "creators": ["Tool: pytoon-docker/spdx.py"],
        },
        "hasExtractedLicensingInfos": [{
            "licenseId": "LicenseRef-NVIDIA-CUDA-EULA",
            "extractedText": "https://docs.nvidia.com/cuda/eula/",
        }] if cuda else [],
        "packages": everything,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
                          for a, kind, b in relations],
    }, indent=1) + "\n"
