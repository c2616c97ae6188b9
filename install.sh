#!/bin/sh
# Installs msgrctl without root: the program, its man pages and its completions.
#
#     sh install.sh                     into ~/.local
#     sh install.sh --prefix /usr/local
#     sh install.sh --version 0.1.0     another version than the one of this script
#     sh install.sh --remove            what this script installed there
#
# The archive is checked against SHA256SUMS of the release, and that file against its
# signature where minisign is installed. No file of a shell is edited.
set -eu

# Where releases are; a mirror is named by the variable of this name.
MSGRCTL_RELEASES=${MSGRCTL_RELEASES:-https://example.org/msgrctl/releases/download}
version=0.1.0
# The key that signs releases, as minisign prints it; empty until releases are signed.
key=${MSGRCTL_RELEASE_KEY:-}

# What of an installation is there when it ends before its end.
begun=""

fail() {
    echo "install.sh: $1" >&2
    [ "$#" -lt 2 ] || echo "hint: $2" >&2
    [ -z "$begun" ] || echo "hint: to remove what was installed: $remover" >&2
    exit 1
}

interrupted() {
    (fail "interrupted") || exit "$1"
}

# An address without its password.
shown() {
    echo "$1" | sed 's,//[^/@]*@,//,'
}

usage() {
    cat <<END
usage: sh install.sh [--prefix DIR] [--version VERSION] [--remove]

  --prefix DIR       install below DIR [default: ~/.local]
  --version VERSION  another version than $version
  --remove           remove what this script installed below the prefix

MSGRCTL_RELEASES names a mirror [default: $(shown "$MSGRCTL_RELEASES")]
END
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# The target of this machine's archive.
target() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64 | Linux-amd64) echo x86_64-unknown-linux-musl ;;
        Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
        Darwin-x86_64) echo x86_64-apple-darwin ;;
        Darwin-arm64 | Darwin-aarch64) echo aarch64-apple-darwin ;;
        *) return 1 ;;
    esac
}

# download NAME: a file of the release, into the current directory. curl follows redirects from
# https to https only, and gives up where nothing comes for half a minute. Other programs than
# GNU's are called wget too: some do not look at certificates.
download() {
    file=$1
    url=$MSGRCTL_RELEASES/v$version/$1
    if has curl; then
        schemes="=http,https"
        case "$url" in [Hh][Tt][Tt][Pp][Ss]:*) schemes="=https" ;; esac
        progress=-sS
        [ ! -t 2 ] || progress=-#
        set -- curl -fL $progress --proto "$schemes" --connect-timeout 20 --speed-limit 1 --speed-time 30 --retry 2 -o "$1" "$url"
        refused=22
    elif wget --version 2>/dev/null | grep -q '^GNU Wget'; then
        set -- wget -nv -T 30 -t 2 -O "$1" "$url"
        refused=8
    else
        case "$url" in
            [Hh][Tt][Tt][Pp][Ss]:*) fail "for https curl is needed, or GNU's wget; nothing was installed" ;;
        esac
        set -- wget -O "$1" "$url"
        refused=""
    fi
    status=0
    "$@" || status=$?
    [ "$status" != "$refused" ] || fail "the server does not give $(shown "$url"); nothing was installed" \
        "is there a version $version? MSGRCTL_RELEASES=URL names another server"
    { [ "$status" = 0 ] && [ -s "$file" ]; } || fail "cannot download $(shown "$url"); nothing was installed" \
        "https_proxy=http://HOST:PORT names a proxy, MSGRCTL_RELEASES=URL a mirror"
}

sha256() {
    if has sha256sum; then
        sha256sum "$1"
    else
        shasum -a 256 "$1"
    fi | cut -d ' ' -f 1
}

# write MODE FROM TO: a file of the archive, beside TO below the prefix, in a new file that no other
# run or user has.
write() {
    folder=$prefix/${3%/*}
    { mkdir -p "$folder" && [ ! -d "$prefix/$3" ] && pending=$(mktemp "$folder/.msgrctl.XXXXXX") &&
        cp "$unpacked/$2" "$pending" && chmod "$1" "$pending"; } ||
        fail "cannot write $prefix/$3" "sh install.sh --prefix DIR, with a folder that you may write to"
}

# A file appears whole or not at all, and a program that runs is not written into.
install_file() {
    write "$@"
    mv -f "$pending" "$prefix/$3"
    pending=""
}

# The program is tried where it will be, since programs may not be allowed to run elsewhere; it
# appears last, when its pages and completions are there.
install_files() {
    write 755 msgrctl bin/msgrctl
    program=$pending
    pending=""
    { said=$("$program" -V) && [ "$said" = "msgrctl $version" ]; } ||
        fail "the program does not run here, or is not msgrctl $version; nothing was installed"
    begun=1
    for page in "$unpacked"/man/*.[17]; do
        page=${page##*/}
        install_file 644 "man/$page" "share/man/man${page##*.}/$page"
    done
    install_file 644 completions/msgrctl.bash share/bash-completion/completions/msgrctl
    install_file 644 completions/_msgrctl share/zsh/site-functions/_msgrctl
    install_file 644 completions/msgrctl.fish share/fish/vendor_completions.d/msgrctl.fish
    mv -f "$program" "$prefix/bin/msgrctl"
    program=""
}

remove_files() {
    found=""
    for file in "$prefix/bin/msgrctl" "$prefix"/share/man/man1/msgrctl.1 "$prefix"/share/man/man[17]/msgrctl-*.[17] \
        "$prefix/share/bash-completion/completions/msgrctl" "$prefix/share/zsh/site-functions/_msgrctl" \
        "$prefix/share/fish/vendor_completions.d/msgrctl.fish" "$prefix"/bin/.msgrctl.?????? \
        "$prefix"/share/man/man[17]/.msgrctl.?????? "$prefix"/share/bash-completion/completions/.msgrctl.?????? \
        "$prefix"/share/zsh/site-functions/.msgrctl.?????? "$prefix"/share/fish/vendor_completions.d/.msgrctl.??????; do
        [ -f "$file" ] || [ -L "$file" ] || continue
        rm -f "$file" || fail "cannot remove $file"
        found=1
    done
    [ -n "$found" ] || fail "nothing to remove: $prefix/bin/msgrctl does not exist"
    echo "removed msgrctl from $prefix; accounts and secrets stay where they are"
}

# What a shell needs to find the program, and zsh to find its completions.
say_shell() {
    begin=msgrctl
    first=$(command -v msgrctl || true)
    case ":$PATH:" in
        *":$prefix/bin:"* | *":$prefix/bin/:"*)
            [ "$first" = "$prefix/bin/msgrctl" ] || {
                begin=$prefix/bin/msgrctl
                echo "  PATH finds another msgrctl first: $first"
            }
            ;;
        *)
            begin=$prefix/bin/msgrctl
            case "${SHELL:-}" in
                */zsh) echo "  not in PATH; add this line to ~/.zshrc: export PATH=\"$prefix/bin:\$PATH\"" ;;
                */fish) echo "  not in PATH; run: fish_add_path \"$prefix/bin\"" ;;
                */bash) echo "  not in PATH; add this line to ~/.bashrc: export PATH=\"$prefix/bin:\$PATH\"" ;;
                *) echo "  not in PATH; add this line to the startup file of your shell: export PATH=\"$prefix/bin:\$PATH\"" ;;
            esac
            ;;
    esac
    case "${SHELL:-}" in
        */zsh) echo "  for completions, add this line to ~/.zshrc, before compinit: fpath+=(\"$prefix/share/zsh/site-functions\")" ;;
    esac
}

main() {
    unset CDPATH
    home=${HOME:-}
    home=${home%/}
    prefix=""
    given=""
    remove=""
    while [ "$#" -gt 0 ]; do
        case "$1" in
            --prefix) [ "$#" -gt 1 ] || fail "--prefix needs a directory"; prefix=$2 given=1; shift 2 ;;
            --prefix=*) prefix=${1#*=} given=1; shift ;;
            --version) [ "$#" -gt 1 ] || fail "--version needs a version"; version=${2#v}; shift 2 ;;
            --version=*) version=${1#*=}; version=${version#v}; shift ;;
            --remove) remove=1; shift ;;
            -h | --help) usage; return ;;
            *) fail "unknown argument '$1'" "sh install.sh --help" ;;
        esac
    done
    if [ -z "$given" ]; then
        [ -n "${HOME:-}" ] || fail "HOME is not set" "sh install.sh --prefix DIR"
        prefix=$home/.local
    fi
    case "$prefix" in
        "") fail "--prefix needs a directory" ;;
        "~"*) fail "--prefix: your shell did not replace the ~ of '$prefix'" "write \$HOME in place of ~" ;;
        /*) ;;
        # To where the script was called.
        *) prefix=$PWD/$prefix ;;
    esac
    case "$version" in
        "" | *[!0-9A-Za-z.+-]*) fail "'$version' is not a version" ;;
    esac
    MSGRCTL_RELEASES=${MSGRCTL_RELEASES%/}
    [ ! -d "$prefix" ] || prefix=$(cd "$prefix" && pwd)
    case "$prefix" in
        / | /usr) fail "$prefix is the place of packages of the system" "sh install.sh --prefix /usr/local" ;;
    esac
    remover="sh install.sh --remove"
    [ "$prefix" = "$home/.local" ] || remover="sh install.sh --prefix \"$prefix\" --remove"
    if [ -n "$remove" ]; then
        remove_files
        return
    fi

    case "$(uname -s)" in
        MINGW* | MSYS* | CYGWIN*) fail "for Windows the release has a zip: msgrctl-$version-x86_64-pc-windows-gnu.zip" ;;
    esac
    target=$(target) || fail "no archive for $(uname -s) on $(uname -m)" \
        "cargo install --locked --git ${MSGRCTL_RELEASES%/releases/download}"
    has curl || has wget || fail "neither curl nor wget is installed"
    has sha256sum || has shasum || fail "neither sha256sum nor shasum is installed"
    for tool in tar gzip mktemp; do
        has "$tool" || fail "$tool is not installed"
    done
    umask 022
    { mkdir -p "$prefix/bin" && [ -w "$prefix/bin" ]; } ||
        fail "cannot write into $prefix/bin; nothing was installed" \
            "sh install.sh --prefix DIR, with a folder that you may write to"
    prefix=$(cd "$prefix" && pwd)
    name=msgrctl-$version-$target
    program="" pending="" work=""
    trap 'rm -rf ${work:+"$work"}; rm -f ${program:+"$program"} ${pending:+"$pending"}' EXIT
    trap 'interrupted 130' INT QUIT
    trap 'interrupted 1' HUP TERM PIPE
    work=$(cd "$(mktemp -d)" && pwd)
    cd "$work"

    echo "downloading $name from $(shown "$MSGRCTL_RELEASES")" >&2
    download SHA256SUMS
    signature="its signature was not checked: minisign is not installed"
    if [ -z "$key" ]; then
        signature="this release is not signed"
    elif has minisign; then
        download SHA256SUMS.minisig
        minisign -V -q -P "$key" -m SHA256SUMS >/dev/null 2>&1 ||
            fail "SHA256SUMS is not signed with the release key; nothing was installed"
        signature="the signature is good"
    fi
    grep -q '^[0-9a-f]\{64\}  ' SHA256SUMS ||
        fail "$(shown "$MSGRCTL_RELEASES")/v$version/SHA256SUMS is not a list of checksums; nothing was installed" \
            "a proxy or a login page may have answered: open that address in a browser"
    expected=$(awk -v name="$name.tar.gz" '$2 == name && length($1) == 64 { print $1; exit }' SHA256SUMS)
    [ -n "$expected" ] || fail "the release $version has no $name.tar.gz; nothing was installed"
    download "$name.tar.gz"
    [ "$(sha256 "$name.tar.gz")" = "$expected" ] ||
        fail "checksum mismatch: $name.tar.gz was changed or truncated; nothing was installed"

    gzip -dc "$name.tar.gz" | tar -xf -
    unpacked=$work/$name
    install_files

    echo "installed $said as $prefix/bin/msgrctl (checksum good; $signature)"
    echo "  man pages and completions (bash, fish, zsh) are in $prefix/share"
    say_shell
    echo "to remove it: $remover"
    echo "begin with: $begin demo"
}

# At the end and in one piece: a script of which a part arrived does nothing.
if :; then main "$@"; fi
