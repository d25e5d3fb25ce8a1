"""What commands_generator.py puts together: images, packages, options, commands."""

IMAGES = (
    *("debian:12", "debian:12", "alpine:3.20", "ubuntu", "fedora:40", "node:latest", "python:3.12"),
    *("opensuse/leap:15", "$BASE", "centos:7", "scratch", "golang", "a@sha256:" + "0" * 64),
)
PACKAGES = (
    *("curl", "git", "vim", "ca-certificates", "python3", "g++", "libc6-dev", "gcc-12"),
    *("curl=7.88.1-10", "git=1:2.39.*", "vim=${VIM_VERSION}", "git=$V", "nginx=~1.2", "curl=7"),
    *("$PKGS", "${A}", "'curl'", '"git"', '"vim=9.0"', "'a'=1", "./local.deb", "/tmp/a.deb"),
    *("https://x.example/a.rpm", "*.deb", "git/bookworm", "libfoo:amd64", "a+", "b-", "{a,b}"),
    *("$(cat list)", "`cat list`", "foo<2", "python3==3.11", "x@1.2", "foo-1.2", "foo-1.2-3.el9"),
)
PIP = (
    *("requests", "flask==2.0", "flask>=2", "flask~=2.0", "a[b]", "a[b]==1", ".", "..", "./pkg"),
    *("-r requirements.txt", "--requirement=r.txt", "git+https://x.example/a.git", "$PKG"),
    *(
        "git+https://x.example/a.git@v1",
        "https://x.example/a.whl",
        "a.whl",
        "/tmp/a.tar.gz",
        "-e .",
    ),
    *("-c constraints.txt b", "'django<4'", '"x==1.*"', "a==$V", "a===1", "setuptools", "a @ b"),
    *(
        "--constraint c.txt d==1",
        "-t /x y",
        ".[dev]",
        "file:///x",
        "pip",
        "pip==23",
        "--editable=.",
    ),
)
NPM = (
    *("express", "express@4", "@angular/cli", "@angular/cli@17.0.0", "a@latest", "a@^1.2", "."),
    *(
        "git+https://x.example/a.git",
        "git+https://x.example/a.git#v1",
        "./a.tgz",
        "https://x.example/a.tgz",
    ),
    *("github:a/b", "a/b", "a/b#v1", "$PKG", "a@$V", "file:../a", "a.tgz", "/a", "alias@npm:b@1"),
)
GEM = (
    "bundler",
    "bundler:2.1",
    "rake -v 13",
    "rake --version 13",
    "a.gem",
    "-v '1' a",
    "b:1 c",
    "$G",
)
GO = (
    *(
        "x.example/a@latest",
        "x.example/a@v1.2.3",
        "x.example/a",
        "./...",
        ".",
        "x.example/a/...@v1",
    ),
    *("$TOOL", "x.example/a@$V", "example.org/b@main"),
)
APT_OPTIONS = (
    *("-y", "-qq", "-qqy", "--yes", "--no-install-recommends", "-o Dpkg::Use-Pty=0", "-t bookworm"),
    *("--assume-yes", "-q=2", "-y", "--no-install-recommends", "-f", "--fix-broken", "-V"),
    *('-o Dpkg::Options::="--force-confold"', "--option APT::Install-Recommends=false", "-oA=b"),
    *("--target-release=stable", "--allow-downgrades", "-y --no-install-recommends", "-c /x", "-d"),
    *("-o APT::Install-Recommends=0", "--reinstall", "--quiet", "-qqqy", "-y=true", "--quiet=2"),
)
APK_OPTIONS = (
    *("--no-cache", "--no-cache", "--virtual .deps", "-t .x", "--update", "-U", "-q", "--root /x"),
    *("--repository=x", "-X http://x.example", "--no-progress", "--update-cache"),
)
YUM_OPTIONS = (
    *("-y", "-y", "--assumeyes", "-q", "--setopt=tsflags=nodocs", "--nogpgcheck", "--enablerepo=x"),
    *("--enablerepo x", "--nobest", "--best", "--disablerepo='*'", "-v", "-qy", "--allowerasing"),
)
ZYPPER_OPTIONS = (
    *("-y", "-n", "--non-interactive", "--no-confirm", "--no-recommends", "--no-refresh", "-q"),
    *("--repo x", "--no-gpg-checks", "-l", "--gpg-auto-import-keys"),
)
PIP_OPTIONS = (
    *("--no-cache-dir", "-U", "--upgrade", "--user", "-q", "--index-url https://x.example", "-i u"),
    *("--no-deps", "--no-binary :all:", "--extra-index-url=u", "--no-cache-dir", "--target /x"),
    *("--pre", "--trusted-host x", "-f u", "--no-cache", "--break-system-packages", "--timeout 5"),
    *(
        "--platform linux",
        "--prefix=/x",
        "--no-build-isolation",
        "--proxy p",
        "--root-user-action=ignore",
    ),
)
REMOVALS = (
    *("rm -rf /var/lib/apt/lists/*", "rm -rf /var/lib/apt/lists", "apt-get clean", "yum clean all"),
    *("rm -rf /var/cache/yum/*", "dnf clean all", "zypper clean", "rm -r /var/lib/apt/lists/*"),
    *("rm -f /var/lib/apt/lists/*.d", "zypper cc -a", "microdnf clean all", "rm -rf /tmp/*"),
    *("rm -rf /var/cache/apk/*", "apt-get autoremove -y", "yarn cache clean", "apt-get dist-clean"),
    *("dnf -y clean all", "rm -rf /var/lib/apt/lists/* /tmp/*", "rm -fr -- /var/lib/apt/lists/*"),
    *(
        "rm -rf /var/cache/libdnf5*",
        "npm cache clean --force",
        "yum -y clean all",
        "dnf clean packages",
    ),
    *(
        "find /var/lib/apt/lists -type f -delete",
        "rm -rf /var/cache/dnf",
        "rm -rf /var/{cache,log}",
    ),
)
SHELL = (
    *(
        "cd /tmp",
        "cd build",
        "cd $DIR",
        "echo $A",
        'echo "$A"',
        "ls *.txt",
        "x=`date`",
        "export A=$(b)",
    ),
    *(
        "make install",
        "./configure --prefix=/usr",
        "sudo make",
        "ps aux",
        "kill 1",
        "service x start",
    ),
    *("useradd app", "useradd -u 123456 app", "useradd -l -u 1234567 a", "useradd --uid=1000000 a"),
    *(
        "useradd -lu 1234567 b",
        "useradd -u $UID a",
        "adduser -D app",
        "groupadd -g 1 a",
        "top",
        "vim x",
    ),
    *(
        "curl -fsSL https://x.example/a -o a",
        "wget https://x.example/a",
        "wget -q https://x.example/a",
    ),
    *(
        "curl https://x.example | sh",
        "wget -nv x",
        "wget --progress=dot:giga x",
        "wget -qO- x | tar xz",
    ),
    *(
        "wget -O a x",
        "wget --no-verbose x",
        "wget -o log x",
        "wget -a log x",
        "wget --quiet x",
        "which wget",
    ),
    *(
        "ln -s /bin/bash /bin/sh",
        "ln -sf bash /bin/sh",
        "ln -snf /bin/dash /bin/sh",
        "shutdown now",
    ),
    *(
        "apt update",
        "apt install -y curl",
        "apt-get upgrade",
        "apt list",
        "apt-get dist-upgrade -y",
    ),
    *("yarn install", "yarn add a", "yarn --frozen-lockfile", "yarn global add x", "yarn"),
    *(
        "echo -e 'a\\nb'",
        "echo 'a\\nb'",
        "[ $A == b ]",
        "[[ -f a ]]",
        "test -f a",
        "source ./env",
        ". ./env",
    ),
    *(
        "set -e",
        "set -o pipefail",
        "set -ex",
        "set -eo pipefail",
        "pushd x",
        "true",
        "exit 0",
        "A=1 make",
    ),
    *(
        "find . -name *.c | xargs rm",
        "cat a | grep b",
        "read x",
        "for f in $(ls); do x; done",
        "local x",
        "let a=1",
    ),
    *(
        "rm -rf $DIR/*",
        'rm -rf "${DIR}"/x',
        "mkdir -p a && cd a",
        "grep a b | wc -l",
        "mount x",
        "free",
    ),
    *("bash -c 'cd x; y'", 'sh -c "apt-get install curl"', "bash -lc 'pip install x'", "eval $X"),
    *(
        "ssh a",
        "ifconfig",
        "systemctl start x",
        "printf $A",
        "trap x 0",
        "echo $(( 1 + 2 ))",
        "a=$[1]",
    ),
    *(
        "zypper dup -y",
        "zypper dist-upgrade",
        "zypper -n dup",
        "echo apt-get install x",
        "nohup x",
    ),
)
