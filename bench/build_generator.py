"""Random sets of Dockerfiles that can really be built, without any network.

A set's images stand on ``scratch`` and a static busybox, or on a root image made once. Their steps
call ``note``, which writes down the arguments, user, folder, file mode mask and environment that it
sees: a step that runs in another context than before leaves another file behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from refactor_fuzz import ESCAPE, Chunk, FileSpec, Service, SetSpec, StageSpec

NOTE = """\
#!/bin/busybox sh
{
    echo "== $*"
    /bin/busybox id
    /bin/busybox pwd
    umask
    # A container's name is another one each time.
    /bin/busybox env | /bin/busybox grep -v ^HOSTNAME= | /bin/busybox sort
} >> /state/notes
"""
PROLOGUE: tuple[Chunk, ...] = (
    ("COPY busybox /bin/busybox",),
    (
        f'RUN ["/bin/busybox", "sh", "-c", "cd /bin; ./busybox --install -s .; {ESCAPE}',
        f"    ./busybox mkdir -m 777 /tmp /state; ./busybox mkdir /etc; {ESCAPE}",
        f"    ./busybox touch /state/notes; ./busybox chmod 666 /state/notes; {ESCAPE}",
        f"    echo root:x:0:0::/:/bin/sh > /etc/passwd; {ESCAPE}",
        f"    echo app:x:7:7::/home/app:/bin/sh >> /etc/passwd; {ESCAPE}",
        '    echo app:x:7: > /etc/group"]',
    ),
    ("COPY note.sh /bin/note",),
)
ROOTS = {
    "plain": "",
    "rich": 'ENV ROOTED=1 A=root\nWORKDIR /rooted\nSHELL ["/bin/sh", "-ec"]\nLABEL root=1\n'
    "ONBUILD RUN note trigger $A\nONBUILD ENV TRIGGERED=1\nCMD root\nEXPOSE 1\n",
    "user": "USER app\nENTRYPOINT root\nHEALTHCHECK CMD root\nVOLUME /data\nSTOPSIGNAL SIGQUIT\n",
}
"""What each root image has beside the prologue."""
ROOT_NAME = "localhost/build-fuzz-root"
PARENT = "acme/build-fuzz"
"""What a compose file calls the image that others of a set stand on."""
NAMES = ("A", "B", "C", "V")
VALUES = {"A": "given", "B": "two words", "C": "", "V": "7", "U": "7"}
SECRET = "tok"


@dataclass(frozen=True)
class Knows:
    """What a builder knows: heredocs, ``COPY --link``, platforms; whether it has root images."""

    heredocs: bool = False
    links: bool = False
    roots: bool = False


@dataclass(frozen=True)
class BuildSet:
    """A set, and what is given to its builds."""

    spec: SetSpec
    arguments: tuple[tuple[str, str], ...]


def root_image(kind: str) -> str:
    """The Dockerfile of a root image."""
    lines = [line for chunk in PROLOGUE for line in chunk]
    return "\n".join(["FROM scratch", *lines, ROOTS[kind]]).replace(ESCAPE, "\\")


def generate(random: Random, knows: Knows, seed: int) -> BuildSet:
    """A set; ``seed`` makes names that builders of several sets at once do not share."""
    return _Generator(random, knows, seed).set()


@dataclass(frozen=True)
class _Generator:
    random: Random
    knows: Knows
    seed: int

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def set(self) -> BuildSet:
        random = self.random
        folders = ["svc0", "svc1", "deep/er/svc2", "svc 3"][: random.choice([2, 2, 3, 3, 4])]
        root, top, prologue = self.root()
        trunk = [*prologue, *(self.chunk() for _ in range(random.randint(2, 6)))]
        files = []
        for number, folder in enumerate(folders):
            name = random.choice(["Dockerfile"] * 6 + [f"Dockerfile.{number}", "app.Dockerfile"])
            files.append(self.file(f"{folder}/{name}", root, top, trunk, len(prologue)))
        services: tuple[Service, ...] = ()
        if self.chance(0.4):
            services = tuple(self.services(files))
        if self.chance(0.25):
            files, services = self.on_a_parent(files, services, root, top, trunk)
        spec = SetSpec(tuple(files), (), self.options(bool(services)), services)
        names = random.sample([*VALUES], random.randint(0, 3))
        given = tuple((name, VALUES[name]) for name in names)
        if self.chance(0.1):
            given += (("HTTP_PROXY", "http://proxy.example"),)
        return BuildSet(replace(spec, extra=tuple(self.contexts(spec))), given)

    def root(self) -> tuple[str, Chunk, tuple[Chunk, ...]]:
        """What FROM says, lines before it, and the steps that make something of ``scratch``."""
        if not self.knows.roots or self.chance(0.4):
            first = (self.state(),) if self.chance(0.2) else ()
            return "scratch", (), (*first, *PROLOGUE)
        kind = self.random.choice([*ROOTS])
        if self.chance(0.2):
            return f"{ROOT_NAME}:$KIND", (f"ARG KIND={kind}",), ()
        return f"{ROOT_NAME}:{kind}", (), ()

    def options(self, composed: bool) -> tuple[str, ...]:
        random = self.random
        options: list[str] = []
        if self.chance(0.5):
            options += ["--max-depth", str(random.randint(2, 6))]
        if self.chance(0.2):
            options += ["--min-images", "3"]
        if self.chance(0.2):
            options += ["--min-steps", "2"]
        if self.chance(0.2):
            options += ["--tag", "content"]
        if self.chance(0.3):
            options += ["--registry", f"registry.example:5000/team{self.seed}"]
        return (*options, "--compose") if composed and self.chance(0.3) else tuple(options)

    def services(self, files: list[FileSpec]) -> Iterator[Service]:
        random = self.random
        shared = tuple((name, "composed") for name in random.sample(NAMES, random.randint(0, 2)))
        for file in files:
            if self.chance(0.8):
                folder = file.path.rpartition("/")[0]
                arguments = shared if self.chance(0.7) else (("A", "alone"),)
                yield Service(file.path, random.choice([folder, folder, "."]), arguments)

    def on_a_parent(
        self,
        files: list[FileSpec],
        services: tuple[Service, ...],
        root: str,
        top: Chunk,
        trunk: list[Chunk],
    ) -> tuple[list[FileSpec], tuple[Service, ...]]:
        """A base that the set builds already: some stand on it, others repeat what it has."""
        chunks = tuple(trunk[: self.random.randint(min(4, len(trunk)), len(trunk))])
        parent = FileSpec("platform/Dockerfile", top, (StageSpec(f"FROM {root}", chunks),))
        name, moved = f"{PARENT}:{self.seed}", []
        for file in files:
            last = file.stages[-1]
            if self.chance(0.4) and last.header == f"FROM {root}":
                tail = last.chunks[len(trunk) :]
                last = StageSpec(f"FROM {name}", tail or last.chunks[-1:])
            moved.append(replace(file, stages=(*file.stages[:-1], last)))
        context = self.random.choice(["platform", "."])
        return [parent, *moved], (*services, Service(parent.path, context, image=name))

    def file(self, path: str, root: str, top: Chunk, trunk: list[Chunk], fixed: int) -> FileSpec:
        """A file whose stages begin like the trunk, its first ``fixed`` steps always."""
        random = self.random
        head = list(top)
        if self.chance(0.3):
            name = random.choice(NAMES)
            head.append(random.choice([f"ARG {name}", f"ARG {name}=top"]))
        stages: list[StageSpec] = []
        count = random.choice([1, 1, 1, 2, 2, 3])
        for number in range(count):
            name = f" AS st{number}" if number < count - 1 or self.chance(0.2) else ""
            above = [stage.header.split()[-1] for stage in stages]
            tail = [self.chunk() for _ in range(random.choice([0, 1, 1, 2, 3]))]
            if above and self.chance(0.8):
                tail.append(self.from_stage(above))
            if above and self.chance(0.25):
                stages.append(StageSpec(f"FROM {random.choice(above)}{name}", tuple(tail)))
                continue
            shared = list(trunk)
            if self.chance(0.5):
                shared = trunk[: random.randint(fixed, len(trunk))]
            if len(shared) > fixed and self.chance(0.2):
                shared[random.randrange(fixed, len(shared))] = self.chunk()
            if self.chance(0.15):
                shared.insert(random.randint(fixed, len(shared)), self.config())
            header = f"FROM {root}{name}"
            if self.chance(0.25):
                # A stage of its own for how it begins: often nothing but a name.
                cut = random.choice([0, 0, random.randint(0, len(shared))])
                stages.append(StageSpec(f"FROM {root} AS top{number}", tuple(shared[:cut])))
                header, shared = f"FROM top{number}{name}", shared[cut:]
            stages.append(StageSpec(header, (*shared, *tail)))
        return FileSpec(
            path,
            tuple(head),
            tuple(stages),
            newline=random.choice(["\n"] * 9 + ["\r\n"]),
            escape=random.choice(["\\"] * 9 + ["`"]),
            last_newline=self.chance(0.9),
            blanks=self.chance(0.4),
        )

    def from_stage(self, names: list[str]) -> Chunk:
        at = self.random.randrange(len(names))
        if self.chance(0.3):
            mount = f"--mount=type=bind,from={names[at]},target=/m"
            return (f"RUN {mount} cat /m/state/notes > /state/m || true",)
        return (f"COPY --from={self.random.choice([names[at], str(at)])} /state /from{at}",)

    def chunk(self) -> Chunk:
        kind = self.random.random()
        if kind < 0.42:
            chunk = self.run()
        elif kind < 0.7:
            chunk = self.state()
        elif kind < 0.85:
            chunk = self.copy()
        elif kind < 0.985:
            chunk = self.config()
        else:
            chunk = ("ONBUILD RUN note built",)
        if self.chance(0.15):
            chunk = (self.random.choice(["# why", "# see RUN below", "#"]), *chunk)
        return chunk

    def run(self) -> Chunk:
        word = self.random.choice(["one", "two", "$A ${B:-c}", '"$C" $0 $-', "three"])
        call = f"/bin/note {word}"
        forms: list[Chunk] = [
            (f"RUN {call}",),
            (f"RUN {call}",),
            (f"run {call}",),
            (f"RUN {call} && {ESCAPE}", "    true"),
            (f"RUN {call} && {ESCAPE}", "# inside", f"    true {ESCAPE}", "", "  || false"),
            ('RUN ["/bin/note", "json", "$A"]',),
            ("RUN mkdir -p made && echo $A > made/$0 || true",),
            ("RUN mkdir -p /data && echo $B >> /data/f || true",),
            ("RUN rm -rf /app /data || true",),
            ("RUN chmod -R go-w /srv || chown 7 /state",),
            (f"RUN --mount=type=cache,target=/cache mkdir -p /cache/x && {call}",),
            (f"RUN --mount=type=tmpfs,target=/t {call}; echo > /t/x",),
            (
                f"RUN --mount=type=secret,id={SECRET} {call} &&{ESCAPE}",
                f"    cat /run/secrets/{SECRET} >> /state/secret || true",
            ),
            ("RUN --mount=type=bind,source=app.txt,target=/x cat /x >> /state/bound || true",),
        ]
        if self.knows.heredocs:
            forms += [
                ("RUN <<EOF", call, "", "# no comment", "EOF"),
                ("RUN <<-'EOF'", f"\t{call}", "\tEOF"),
                ("RUN <<EOF", "#!/bin/busybox sh", call, "EOF"),
            ]
        return self.random.choice(forms)

    def state(self) -> Chunk:
        one, two = self.random.sample(NAMES, 2)
        return self.random.choice(
            [
                (f"ENV {one}=1",),
                (f"ENV {one}=1 {two}=2",),
                (f"ENV {one}=x{ESCAPE}", f"    {two}=y"),
                (f"ENV {one} old form",),
                (f'ENV {one}="quoted value"',),
                (f"ENV {one}=${two}",),
                (f"ENV {one}=${{{one}:-d}}/e {two}=${one}",),
                (f"ENV PATH=/bin:/opt/{one}:$PATH",),
                (f"ENV LAST{self.random.randint(1, 3)}=z",),
                ("ENV HOME=/elsewhere",),
                (f"ARG {one}",),
                (f"ARG {one}=default",),
                (f"ARG {one}=default",),
                (f"ARG {one}=${two}",),
                (f'ARG {one}="two words"',),
                ("ARG TARGETARCH",),
                ("ARG KIND",),
                ("ARG U=app",),
                ("USER app",),
                ("USER ${U:-root}",),
                ("USER root",),
                ("USER 7:0",),
                ("WORKDIR /srv",),
                ("WORKDIR sub",),
                ("WORKDIR sub/$A",),
                ("WORKDIR /slash/",),
                ("WORKDIR /",),
                (f"WORKDIR /w/${one}",),
                ('SHELL ["/bin/ash", "-eo", "pipefail", "-c"]',),
                ('SHELL ["/bin/sh", "-c"]',),
                ('SHELL ["/bin/busybox", "sh", "-xc"]',),
            ]
        )

    def copy(self) -> Chunk:
        name = self.random.choice(NAMES)
        forms: list[Chunk] = [
            ("COPY app.txt /app/",),
            ("COPY app.txt .",),
            ("COPY ./app.txt ./",),
            ("COPY lib /lib/x",),
            ("COPY lib app.txt /both/",),
            ("COPY lib/*.txt /globbed/",),
            ("COPY run.sh /usr/bin/run",),
            ("COPY --chown=app:app --chmod=750 run.sh /usr/bin/run",),
            ("COPY --chown=7 lib owned/",),
            ('COPY ["app.txt", "/json/"]',),
            (f"COPY app.txt /of/${name}/",),
            ("COPY lib /data/lib",),
            ("COPY . /all",),
            ("ADD app.txt /added",),
            ("ADD lib added/",),
        ]
        if self.knows.heredocs:
            forms += [
                ("COPY <<EOF /etc/conf", f"v=${name}", "'q' \"r\"", "EOF"),
                ('COPY <<"EOF" /etc/conf', f"v=${name}", "EOF"),
            ]
        if self.knows.links:
            forms.append(("COPY --link lib /lib/y",))
        return self.random.choice(forms)

    def config(self) -> Chunk:
        name = self.random.choice(NAMES)
        return self.random.choice(
            [
                ("LABEL a=1",),
                (f'LABEL b="${name} x" c=2',),
                ("EXPOSE 80 443/tcp",),
                ("EXPOSE ${V:-9000}",),
                ("VOLUME /data",),
                ('VOLUME ["/data", "/srv/more"]',),
                ('CMD ["serve"]',),
                ("CMD serve --now",),
                ('ENTRYPOINT ["/entry"]',),
                ("ENTRYPOINT /entry",),
                ("STOPSIGNAL SIGINT",),
                ("HEALTHCHECK --interval=30s CMD test -e /state",),
                ("HEALTHCHECK NONE",),
                ("MAINTAINER someone",),
            ]
        )

    def contexts(self, spec: SetSpec) -> Iterator[tuple[str, str]]:
        """Files of every folder that is or may be a build context."""
        folders = {file.path.rpartition("/")[0] for file in spec.files}
        for folder in sorted(folders | {service.context for service in spec.services}):
            at = "" if folder == "." else f"{folder}/"
            yield f"{at}app.txt", "other" if self.chance(0.2) else "app"
            yield f"{at}lib/one.txt", "1"
            yield f"{at}lib/two.md", "2" if self.chance(0.8) else "3"
            yield f"{at}run.sh", "#!/bin/sh\n"
            yield f"{at}note.sh", NOTE
            if self.chance(0.25):
                lines = ["lib/two.md\n", "*.sh\n!note.sh\n", "lib\n!lib/one.txt\n", "**/*.md\n"]
                yield f"{at}.dockerignore", self.random.choice(lines)
