"""The same videos by the tools that people use now, written as their users would, by hand and well:
one ffmpeg filter graph; a process a step; melt. Each recipe is a list of commands that leave their
video in `out`, at 1080x1920 and 30 frames a second, with our x264 preset as it comes.

They are easier than our job where that makes them faster: one zoom for all shots, a scrim with hard
edges, captions that nobody lays out. What they must have is the motion, the crossfades, the five
captions and the sound.
"""

import pathlib
import subprocess

FPS = 30
SECONDS = 15
FADE = 12  # frames of a crossfade
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-level", "4.0", "-g", "60",
        "-bf", "2", "-refs", "2", "-maxrate", "12M", "-bufsize", "12M", "-pix_fmt", "yuv420p"]
FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
# Enough that a slow zoom does not jump from pixel to pixel.
WIDE = "scale=1620:2880:force_original_aspect_ratio=increase,crop=1620:2880"


def encoder(crf):
    """None: without loss, into Matroska."""
    return ["-c:v", "ffv1", "-pix_fmt", "yuv420p"] if crf is None else [*X264, "-crf", str(crf)]


def font():
    found = subprocess.run(["fc-match", "-f", "%{file}", "Inter:bold"], check=True,
                           capture_output=True, text=True)
    return found.stdout


def captions_of(request):
    words = request["captions"]
    lines = [words["hook"], *words["beats"], words["cta"]]
    step = SECONDS / len(lines)
    return [(text, i * step, (i + 1) * step) for i, text in enumerate(lines)]


def drawn_captions(request, folder, style):
    """A filter for each caption; style: drawtext's options."""
    filters = []
    for i, (text, begin, end) in enumerate(captions_of(request)):
        file = folder / f"caption{i}.txt"
        file.write_text(text)
        filters.append(f"drawtext=fontfile={font()}:textfile={file}:fontcolor=white:"
                       f"x=(w-text_w)/2:{style}:enable='between(t,{begin},{end - 1 / FPS})'")
    return filters


def zoomed(frames, source=WIDE):
    return (f"{source},zoompan=z='1+0.08*on/{frames}':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2':"
            f"d={frames}:s=1080x1920:fps={FPS},format=yuv420p")


class Hero:
    """Five shots of three pictures, crossfaded; a caption over a scrim in the lower third."""

    shots = 5
    scrim = "drawbox=x=0:y=1180:w=iw:h=ih-1180:color=black@0.28:t=fill"
    style = "y=1420-text_h/2:fontsize=68:shadowy=3:shadowcolor=black@0.5"

    def __init__(self, request, folder):
        self.images = [folder / uri for uri in request["image_uris"]]
        # Shots overlap by the crossfades.
        self.frames = (SECONDS * FPS + (self.shots - 1) * FADE + self.shots - 1) // self.shots

    def crossfades(self, inputs):
        """(filters, label) that join streams named `inputs`."""
        filters, last = [], inputs[0]
        for i, name in enumerate(inputs[1:], 1):
            at = i * (self.frames - FADE) / FPS
            filters.append(f"[{last}][{name}]xfade=duration={FADE / FPS}:offset={at}[x{i}]")
            last = f"x{i}"
        return filters, last

    def shot_images(self):
        return [self.images[i % len(self.images)] for i in range(self.shots)]


class Meme(Hero):
    """One picture that is zoomed all the time; a caption in a bar at the top."""

    shots = 1
    scrim = "drawbox=x=0:y=0:w=iw:h=330:color=black@0.75:t=fill"
    style = "y=200-text_h/2:fontsize=64"


class Overlay:
    """A cut-out with glow and shadow over its own picture, blurred and zoomed; music and voice."""

    style = "y=1420-text_h/2:fontsize=64:box=1:boxcolor=black@0.5:boxborderw=24"
    stills = {
        "backdrop": "[0:v]scale=540:960:force_original_aspect_ratio=increase,crop=540:960,"
                    "gblur=sigma=18,eq=brightness=-0.15,scale=1080:1920,format=yuv420p",
        "product": "[1:v]alphaextract[mask];[0:v][mask]alphamerge,scale=1300:-2,"
                   "pad=iw+240:ih+240:120:120:color=black@0,"
                   "format=rgba,split=3[p][a][b];"
                   "[a]lutrgb=r=255:g=244:b=224,gblur=sigma=38[glow];"
                   "[b]lutrgb=r=0:g=0:b=0,colorchannelmixer=aa=0.6,gblur=sigma=22[shadow];"
                   "[glow][shadow]overlay=0:20:format=auto[under];[under][p]overlay=format=auto"}
    standing = "overlay=x=(W-w)/2:y=(H-h)/2-120"
    stereo = "aformat=channel_layouts=stereo:sample_rates=48000"
    sound = (f"[{{0}}:a]{stereo},atrim=end=15,volume=0.5[music];"
             f"[{{1}}:a]{stereo},apad=whole_dur=15,asplit[v1][v2];"
             "[music][v1]sidechaincompress=threshold=0.03:ratio=8[low];"
             f"[low][v2]amix=normalize=0,loudnorm=I=-14:TP=-1,{stereo},atrim=end=15")
    aac = ["-c:a", "aac", "-b:a", "192k"]

    def __init__(self, request, folder):
        self.image, self.mask, self.music, self.voice = (
            folder / name for name in (request["image_uris"][0], request["mask_uri"],
                                       request["music_uri"], request["voice_uri"]))


def held(label):
    """A still as a stream of the video's length."""
    return f"loop=loop=-1:size=1,setpts=N/{FPS}/TB,trim=end_frame={SECONDS * FPS}[{label}]"


def filter_graph(kind, request, folder, crf, out):
    """One command."""
    recipe = kind(request, folder)
    captions = drawn_captions(request, folder, recipe.style)
    end = ["-r", str(FPS), "-frames:v", str(SECONDS * FPS), *encoder(crf)]
    if kind is Overlay:
        backdrop = zoomed(SECONDS * FPS, recipe.stills["backdrop"])
        graph = [f"{backdrop}[bg]", f"{recipe.stills['product']},{held('fg')}",
                 f"[bg][fg]{recipe.standing}," + ",".join(captions) + "[v]",
                 recipe.sound.format(2, 3) + "[s]"]
        return [[*FFMPEG, "-r", str(FPS), "-i", recipe.image, "-i", recipe.mask, "-stream_loop",
                 "-1", "-i", recipe.music, "-i", recipe.voice, "-filter_complex", ";".join(graph),
                 "-map", "[v]", "-map", "[s]", *end, *recipe.aac, out]]
    shots = recipe.shot_images()
    graph = [f"[{i}:v]{zoomed(recipe.frames)}[s{i}]" for i in range(len(shots))]
    fades, last = recipe.crossfades([f"s{i}" for i in range(len(shots))])
    graph += [*fades, f"[{last}]" + ",".join([recipe.scrim, *captions]) + "[v]"]
    inputs = [word for image in shots for word in ("-i", image)]
    return [[*FFMPEG, *inputs, "-filter_complex", ";".join(graph), "-map", "[v]", *end, out]]


def staged(kind, request, folder, crf, out):
    """A process a step, each of which encodes: what grows when every step is a script."""
    recipe = kind(request, folder)
    steps = []
    encode = encoder(crf)

    def made(name):
        return folder / f"step_{name}.mp4"

    if kind is Overlay:
        product = folder / "product.png"
        backdrop = folder / "backdrop.png"
        steps.append([*FFMPEG, "-i", recipe.image, "-filter_complex", recipe.stills["backdrop"],
                      "-frames:v", "1", backdrop])
        steps.append([*FFMPEG, "-i", recipe.image, "-i", recipe.mask, "-filter_complex",
                      recipe.stills["product"], "-frames:v", "1", product])
        steps.append([*FFMPEG, "-i", backdrop, "-vf", zoomed(SECONDS * FPS, "null"), *encode,
                      made("backdrop")])
        steps.append([*FFMPEG, "-i", made("backdrop"), "-i", product, "-filter_complex",
                      recipe.standing, *encode, made("joined")])
    else:
        shots = recipe.shot_images()
        for i, image in enumerate(shots):
            steps.append([*FFMPEG, "-i", image, "-vf", zoomed(recipe.frames), *encode,
                          made(f"shot{i}")])
        fades, last = recipe.crossfades([f"{i}:v" for i in range(len(shots))])
        graph = ";".join([*fades, f"[{last}]{recipe.scrim}[v]"])
        inputs = [word for i in range(len(shots)) for word in ("-i", made(f"shot{i}"))]
        steps.append([*FFMPEG, *inputs, "-filter_complex", graph, "-map", "[v]", *encode,
                      made("joined")])
    before = made("joined")
    for number, caption in enumerate(drawn_captions(request, folder, recipe.style)):
        steps.append([*FFMPEG, "-i", before, "-vf", caption, *encode, made(f"caption{number}")])
        before = made(f"caption{number}")
    if kind is not Overlay:
        steps.append([*FFMPEG, "-i", before, "-c", "copy", "-frames:v", str(SECONDS * FPS), out])
        return steps
    sound = folder / "step_sound.wav"
    steps.append([*FFMPEG, "-stream_loop", "-1", "-i", recipe.music, "-i", recipe.voice,
                  "-filter_complex", recipe.sound.format(0, 1), sound])
    steps.append([*FFMPEG, "-i", before, "-i", sound, "-c:v", "copy", *recipe.aac, out])
    return steps


def melt(kind, request, folder, crf, out):
    """MLT's own command line, for the videos without sound."""
    if kind is Overlay:
        return None
    recipe = kind(request, folder)
    profile = folder / "vertical.profile"
    profile.write_text("description=vertical\nframe_rate_num=30\nframe_rate_den=1\nwidth=1080\n"
                       "height=1920\nprogressive=1\nsample_aspect_num=1\nsample_aspect_den=1\n"
                       "display_aspect_num=9\ndisplay_aspect_den=16\ncolorspace=709\n")
    words = ["melt", "-silent", "-profile", profile]
    for i, image in enumerate(recipe.shot_images()):
        last = recipe.frames - 1
        zoom = f"0=-33% -33% 167% 167%;{last}=-40% -40% 180% 180%"
        words += [image, f"out={last}", "-attach", "affine", f"transition.rect={zoom}"]
        if i:
            words += ["-mix", str(FADE), "-mixer", "luma"]
    for text, begin, end in captions_of(request):
        words += ["-filter", f"dynamictext:{text}", f"in={round(begin * FPS)}",
                  f"out={round(end * FPS) - 1}", "size=68", "weight=700", "halign=centre",
                  "valign=bottom", "fgcolour=white", "bgcolour=0x00000047", "pad=24"]
    threads = ["real_time=-2"]
    words += ["-consumer", f"avformat:{out}", "vcodec=libx264", "preset=veryfast", f"crf={crf}",
              "vprofile=high", "level=40", "g=60", "bf=2", "refs=2", "an=1", "pix_fmt=yuv420p",
              *threads]
    return [words]


KINDS = {"product_hero_clean": Hero, "overlay_glow": Overlay, "meme_smooth": Meme}
RIVALS = {"filter_graph": filter_graph, "staged": staged, "melt": melt}


def programs_missing(commands):
    return sorted({command[0] for command in commands
                   if subprocess.run(["sh", "-c", f"command -v {command[0]}"],
                                     capture_output=True).returncode})


def copy_inputs(request, examples, folder):
    names = [*request["image_uris"], *(request[key] for key in ("mask_uri", "music_uri",
                                                                "voice_uri") if key in request)]
    for name in names:
        (folder / name).write_bytes((pathlib.Path(examples) / name).read_bytes())
